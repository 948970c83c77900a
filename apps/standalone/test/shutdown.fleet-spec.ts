import { readFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { type ServiceName, serviceNames } from '@behalf/contracts';
import type { ServerProcess } from '@behalf/local-servers';
import { grantTypes, tokenTypes } from '@behalf/oauth';
import { askForDecision } from '@behalf/testing';
import { type Fleet, settingsOf } from '../../../deploy/fleet/start-fleet.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { driveFiles } from './drive-files.fixture.js';
import { goThrough } from './go-through.fixture.js';
import { callTool } from './mcp-request.fixture.js';
import { requestToken, signIn } from './oauth-client.fixture.js';

const agentResource = 'http://localhost:4020/agent';
const agent = { clientId: 'demo-agent', secret: 'demo-agent-secret' };
const testTimeoutMs = 120_000;
/** Of each caller, before the signal and after the end. */
const callsAround = 5;

let system: DemoSystem;
let fleet: Fleet;
const tokens = { forWhoami: '', forAgent: '', forDrive: '' };

beforeAll(async () => {
  system = await startDemoSystem();
  if (!system.fleet) throw new Error('this suite is for the fleet: npm run test:failures');
  ({ fleet } = system);
  const tokenFor = async (resource: string, clientId?: string): Promise<string> =>
    (await signIn(system, { username: 'alice', resource, ...(clientId !== undefined && { clientId }) }))
      .access_token;
  const { publicUrl, paths } = system.config.elicitation;
  tokens.forWhoami = await tokenFor(system.mcpUrl('whoami'));
  tokens.forAgent = await tokenFor(agentResource);
  tokens.forDrive = await tokenFor(`${publicUrl}${paths.forward}/drive`, 'demo-client');
  const asked = (await (await driveFiles(system, tokens.forDrive)).json()) as { interaction_uri: string };
  await goThrough(asked.interaction_uri, 'alice');
}, startTimeoutMs);
afterAll(() => system?.close());

/** What is asked all the time, each of a service over HTTP, which asks others over HTTP and NATS. `undefined` when it was done. */
const asking: Record<string, () => Promise<unknown>> = {
  exchange: async () => {
    const answer = await requestToken(
      system,
      {
        grant_type: grantTypes.tokenExchange,
        subject_token: tokens.forAgent,
        subject_token_type: tokenTypes.accessToken,
        resource: system.mcpUrl('whoami'),
      },
      agent,
    );
    return answer.status === 200 ? undefined : [answer.status, answer.body];
  },
  decision: async () => {
    const whoami = { tool: 'whoami', server: 'whoami' };
    const answer = await askForDecision(system.config.policy.publicUrl, 'alice', whoami);
    const body = (await answer.json()) as { decision?: boolean };
    return body.decision === true ? undefined : [answer.status, body];
  },
  call: async () => {
    const { status, body } = await callTool(
      system.mcpUrl('whoami'),
      'whoami',
      {},
      { token: tokens.forWhoami },
    );
    return body?.result?.structuredContent?.sub === 'alice' ? undefined : [status, body];
  },
  files: async () => {
    const answer = await driveFiles(system, tokens.forDrive);
    const body = await answer.text();
    return body.includes('@drive') ? undefined : [answer.status, body];
  },
};

/** Callers who ask again as soon as they are answered, on connections that they keep. */
class Load {
  readonly failures: unknown[] = [];
  readonly #answered: number[] = [];
  readonly #callers: Promise<void>[];
  #ended = false;

  constructor(callersOfEach: number) {
    const asks = Object.entries(asking).flatMap((one) => Array.from({ length: callersOfEach }, () => one));
    this.#callers = asks.map(([name, ask], nth) => this.#keepAsking(name, ask, nth));
  }

  /** Resolves when each caller has been answered so many times more. */
  async goesOn(times: number): Promise<void> {
    const until = this.#answered.map((answered) => answered + times);
    while (this.#answered.some((answered, nth) => answered < (until[nth] ?? 0))) await setTimeout(20);
  }

  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#callers);
  }

  async #keepAsking(name: string, ask: () => Promise<unknown>, nth: number): Promise<void> {
    this.#answered[nth] = 0;
    while (!this.#ended) {
      const failure = await ask().catch((error: Error) => {
        const { code, message } = error.cause as NodeJS.ErrnoException;
        // Nobody has heard it: whoever is refused a connection asks elsewhere.
        return code === 'ECONNREFUSED' ? undefined : [code, message];
      });
      if (failure !== undefined) this.failures.push([name, failure]);
      this.#answered[nth] = (this.#answered[nth] ?? 0) + 1;
    }
  }
}

async function portOf(service: ServiceName): Promise<number> {
  const file = join(system.config.dataFolder, 'replicas', `${service}-1.json`);
  const settings = JSON.parse(await readFile(file, 'utf8')) as Record<string, { listen: { port: number } }>;
  return settings[settingsOf[service]]?.listen.port ?? 0;
}

/** Resolves when nobody is let in any more. */
async function refuses(port: number): Promise<void> {
  const isRefused = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(false)).once('error', () => resolve(true));
      socket.unref().once('close', () => resolve(true));
      socket.end();
    });
  while (!(await isRefused())) await setTimeout(20);
}

/** One request on the connection that the agent keeps, if it still has it. */
async function askOn(
  keeping: Agent,
  port: number,
): Promise<Pick<IncomingMessage, 'statusCode'> & { connection: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request({ agent: keeping, port, path: system.config.health.live }, resolve).once('error', reject).end();
  const answer = await promise;
  await text(answer);
  return { statusCode: answer.statusCode, connection: answer.headers.connection };
}

describe.each(serviceNames)('SIGTERM of one %s under load', (service) => {
  it(
    'is noticed by nobody, and tells those who keep a connection that it ends',
    async () => {
      const replica = fleet.services[service][0] as ServerProcess;
      const port = await portOf(service);
      const keeping = new Agent({ keepAlive: true, maxSockets: 1 });
      const load = new Load(2);
      try {
        await load.goesOn(callsAround);
        expect(await askOn(keeping, port)).toEqual({ statusCode: 200, connection: 'keep-alive' });
        const ended = replica.stop('SIGTERM');
        await refuses(port);
        expect(await askOn(keeping, port)).toEqual({ statusCode: 200, connection: 'close' });
        expect(await ended).toBe(0);
        await load.goesOn(callsAround);
        await replica.start();
        await load.goesOn(callsAround);
      } finally {
        await load.end();
        keeping.destroy();
      }
      expect(load.failures).toEqual([]);
    },
    testTimeoutMs,
  );
});
