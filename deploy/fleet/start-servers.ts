import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ServiceName } from '@behalf/contracts';
import { type LocalServer, startNats, startPostgres, startRedis } from '@behalf/local-servers';
import { natsConfig } from '../nats/nats-config.js';
import { loadOrCreateServiceKeys } from '../nats/service-keys.js';

export interface FleetServers {
  /** The servers that were started here; the others are somebody else's. */
  nats?: LocalServer;
  redis?: LocalServer;
  postgres?: LocalServer;
  /** The environment in which a service finds them. */
  environmentOf(service: ServiceName): Record<string, string>;
  close(): Promise<void>;
}

/** Another address under which services find a server, for tests that stand in between. */
export type WayTo = (name: ServerName, server: LocalServer) => Promise<string>;
export type ServerName = 'nats' | 'redis' | 'postgres';

/** Starts the servers that the environment does not name, with their data in the folder. */
export async function startServers(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  wayTo: WayTo = async (_name, { url }) => url,
): Promise<FleetServers> {
  await mkdir(folder, { recursive: true });
  // Started by root, PostgreSQL runs as a user of its own and has to get to its folder. Nobody may look around on the way.
  if (process.getuid?.() === 0) for (const on of [dirname(folder), folder]) await chmod(on, 0o711);
  const started: LocalServer[] = [];
  const provide = async (
    variable: string,
    start: () => Promise<LocalServer>,
  ): Promise<LocalServer | undefined> => {
    if (environment[variable]) return undefined;
    const server = await start();
    started.push(server);
    return server;
  };
  const close = async (): Promise<void> => {
    for (const server of started.toReversed()) await server.close();
  };
  try {
    const keys = await loadOrCreateServiceKeys(join(folder, 'nats-keys'));
    const config = natsConfig(keys.publicKeys);
    const postgres = await provide('DATABASE_URL', () => startPostgres({ folder: join(folder, 'postgres') }));
    const redis = await provide('REDIS_URL', () => startRedis({ folder: join(folder, 'redis') }));
    const nats = await provide('NATS_URL', () => startNats({ folder: join(folder, 'nats'), config }));
    const addresses = {
      ...(postgres && { DATABASE_URL: await wayTo('postgres', postgres) }),
      ...(redis && { REDIS_URL: await wayTo('redis', redis) }),
      ...(nats && { NATS_URL: await wayTo('nats', nats) }),
    };
    return {
      ...(nats && { nats }),
      ...(redis && { redis }),
      ...(postgres && { postgres }),
      environmentOf: (service) => ({ ...addresses, ...(nats && { NATS_NKEY_SEED: keys.seeds[service] }) }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
