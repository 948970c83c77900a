import type { BehalfConfig } from '@behalf/config';
import { agentSuspended } from '@behalf/contracts';
import { type Elicitation, elicitationRecords } from '@behalf/elicitation';
import { openInfrastructure } from '@behalf/infrastructure';
import { startNats, startPostgres } from '@behalf/local-servers';
import type { Infrastructure } from '@behalf/service-kit';
import { describeWith } from '@behalf/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startElicitation } from '../../elicitation/src/elicitation.module.js';
import { demoConfigOnFreePorts, startTimeoutMs } from './demo-system.fixture.js';

const agent = 'agent-7';
type Environment = Record<string, string>;

/** The infrastructure with the elicitation service on it, or without, as where it is down; closed after its use. */
async function on<R>(
  options: { config: BehalfConfig; environment: Environment; name: string; withService: boolean },
  use: (infrastructure: Infrastructure) => Promise<R>,
): Promise<R> {
  const { withService, ...rest } = options;
  const relaysEvents = rest.name !== 'elicitation';
  const running = await openInfrastructure({ ...rest, relaysEvents }, async (infrastructure) => {
    const service = withService ? await startElicitation(infrastructure) : { close: async () => {} };
    return { infrastructure, close: (signal?: NodeJS.Signals) => service.close(signal) };
  });
  return use(running.infrastructure).finally(() => running.close());
}

const waiting = (actors: string[], createdAtMs = Date.now()): Elicitation => ({
  person: 'alice',
  client: 'editor',
  actors,
  names: {},
  provider: 'drive',
  resource: 'https://api.drive.example',
  scopes: ['files.read'],
  origin: {},
  createdAtMs,
  expiresAtMs: Date.now() + 3_600_000,
  status: 'pending',
  statusSinceMs: Date.now(),
});

const begin = ({ records }: Infrastructure): Promise<void> =>
  records.transaction(async (transaction) => {
    await transaction.put(elicitationRecords, 'of the agent', waiting([agent, 'gateway']));
    await transaction.put(elicitationRecords, 'of another', waiting(['another']));
    // As when the agent was resumed and the service was down for long.
    const later = waiting([agent], Date.now() + 20 * 60_000);
    await transaction.put(elicitationRecords, 'begun since', later);
  });
const suspend = ({ records }: Infrastructure): Promise<void> =>
  records.transaction((transaction) =>
    transaction.emit(agentSuspended, { id: agent, version: 2, state: 'suspended', by: 'admin', changed: [] }),
  );
const statusOf = async ({ records }: Infrastructure, id: string) =>
  (await records.get(elicitationRecords, id))?.value.status;
/** The limit of the test ends the waiting. */
async function cancelled(infrastructure: Infrastructure): Promise<void> {
  while ((await statusOf(infrastructure, 'of the agent')) !== 'cancelled') await setTimeout(20);
  for (const id of ['of another', 'begun since'])
    expect([id, await statusOf(infrastructure, id)]).toEqual([id, 'pending']);
}

describe('an agent that was suspended while the elicitation service was down: what waits for its people ends', () => {
  let config: BehalfConfig;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-missed-'));
    config = await demoConfigOnFreePorts(folder);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it(
    'when it is started again, embedded',
    async () => {
      const options = { config, environment: {}, name: 'all' };
      await on({ ...options, withService: true }, begin);
      await on({ ...options, withService: false }, suspend);
      await on({ ...options, withService: true }, cancelled);
    },
    startTimeoutMs,
  );

  describeWith('nats-server', 'postgres')('on servers', () => {
    it(
      'when it is started again',
      async () => {
        const [nats, postgres] = [await startNats({ config: 'max_payload: 8MB' }), await startPostgres()];
        try {
          const environment = { DATABASE_URL: postgres.url, NATS_URL: nats.url };
          const options = { config, environment, name: 'elicitation' };
          // Events are on NATS before the service is there again.
          await on({ ...options, name: 'authorization-server', withService: false }, async (other) => {
            await on({ ...options, withService: true }, begin);
            await suspend(other);
            await on({ ...options, withService: true }, cancelled);
          });
        } finally {
          await nats.close();
          await postgres.close();
        }
      },
      startTimeoutMs,
    );
  });
});
