import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import type { BehalfConfig } from '@behalf/config';
import { type ServiceName, serviceNames } from '@behalf/contracts';
import { ServerProcess, freePort } from '@behalf/local-servers';
import { type FleetServers, type WayTo, startServers } from './start-servers.js';
import { TcpBalancer } from './tcp-balancer.js';

export interface FleetOptions {
  config: BehalfConfig;
  /** The files that `config` was read from, as in BEHALF_CONFIG. */
  configFiles: string;
  /** Where the programs were built to. */
  dist: string;
  /** Of each service. */
  replicas: number;
  environment?: Readonly<Record<string, string | undefined>>;
  /** More of it for one process, by its number among those of its service. */
  environmentOf?: (service: ServiceName, nth: number) => Record<string, string>;
  /** How the programs reach the servers that are started here; straight, without it. */
  wayTo?: WayTo | undefined;
  /** Given every line that a program prints. */
  onLine?: (service: ServiceName, line: string) => void;
}

export interface Fleet {
  servers: FleetServers;
  services: Record<ServiceName, ServerProcess[]>;
  close(): Promise<void>;
}

/** The key of each service's settings in the configuration. */
export const settingsOf = {
  'authorization-server': 'authorizationServer',
  policy: 'policy',
  elicitation: 'elicitation',
  gateway: 'gateway',
} as const;

/**
 * Starts every service as often as asked for, each a process of its own on a port of its own, behind one balancer per
 * service on the port of the configuration. When one cannot start, what was started is ended again.
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { config, replicas, environment = process.env } = options;
  const opened: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of opened.toReversed()) await end();
  };
  try {
    const servers = await startServers(resolve(config.dataFolder, 'servers'), environment, options.wayTo);
    opened.push(() => servers.close());
    const services = {} as Fleet['services'];
    const ends: (() => Promise<unknown>)[] = [];
    opened.push(async () => void (await Promise.all(ends.map((end) => end()))));
    for (const name of serviceNames) {
      const ports = await Promise.all(Array.from({ length: replicas }, () => freePort()));
      const { host, port } = config[settingsOf[name]].listen;
      const balancer = await TcpBalancer.open(port, ports, host);
      opened.push(() => balancer.close());
      services[name] = await Promise.all(
        ports.map((onPort, nth) => prepareReplica(options, servers, name, nth, onPort)),
      );
      // Before they are started: of two, one may fail while the other is still at it.
      ends.push(...services[name].map((replica) => () => replica.stop()));
      await Promise.all(services[name].map((replica) => replica.start()));
    }
    return { servers, services, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function prepareReplica(
  { config, configFiles, dist, environment = process.env, environmentOf, onLine }: FleetOptions,
  servers: FleetServers,
  name: ServiceName,
  nth: number,
  port: number,
): Promise<ServerProcess> {
  const folder = resolve(config.dataFolder, 'replicas');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}-${nth + 1}.json`);
  const policy = name === 'policy' && nth > 0 && config.policy.grpc ? { grpc: null } : {};
  await writeFile(
    file,
    JSON.stringify({ [settingsOf[name]]: { listen: { host: '127.0.0.1', port }, ...policy } }),
  );
  return new ServerProcess({
    command: process.execPath,
    args: [join(dist, 'apps', name, 'src', 'main.js')],
    readyLine: / listens on /,
    env: {
      ...environment,
      ...servers.environmentOf(name),
      ...environmentOf?.(name, nth),
      BEHALF_CONFIG: [configFiles, file].join(delimiter),
    },
    ...(onLine && { onLine: (line: string) => onLine(name, line) }),
  });
}
