import { type BehalfConfig, parseConfig, upstreamResource } from '@behalf/config';
import type { ServiceName } from '@behalf/contracts';
import { openInfrastructure } from '@behalf/infrastructure';
import { freePort } from '@behalf/testing';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { startDriveServer } from '../../../deploy/demo/drive/drive-server.js';
import { startDrive } from '../../../deploy/demo/drive/start-drive.js';
import { type Fleet, settingsOf, startFleet } from '../../../deploy/fleet/start-fleet.js';
import type { WayTo } from '../../../deploy/fleet/start-servers.js';
import { startWhoami } from '../../../deploy/demo/whoami/start-whoami.js';
import { ProcessClocks, moveOwnClock } from './process-clocks.fixture.js';
import { startStandalone } from '../src/start-standalone.js';

/** The ports that `deploy/demo/behalf.yaml` writes down, wherever they stand in it. */
const demoPorts = /\b(?:4000|4001|4002|4003|4010|4011|4012|4030)\b/g;

/**
 * The shape that the system is tested in: `embedded`, everything in this process, or `fleet`, two processes of each
 * service on servers of their own. `npm test` runs the suites in both; `npm run test:fleet` in the second alone.
 */
export const shape = process.env['BEHALF_TEST_SHAPE'] ?? 'embedded';

/** For hooks that start a system: on a busy machine that takes its time. */
export const startTimeoutMs = shape === 'fleet' ? 300_000 : 120_000;

export type AdjustConfig = (file: Record<string, any>) => void;

/** The demo configuration with every port replaced by a free one, and its data in a folder of its own. */
export async function demoConfigOnFreePorts(
  dataFolder: string,
  adjust: AdjustConfig = () => {},
): Promise<BehalfConfig> {
  const text = await readFile('deploy/demo/behalf.yaml', 'utf8');
  const ports = new Map<string, number>();
  for (const port of new Set(text.match(demoPorts))) ports.set(port, await unusedPort([...ports.values()]));
  const file = parse(text.replaceAll(demoPorts, (port) => String(ports.get(port)))) as Record<string, any>;
  file['dataFolder'] = dataFolder;
  file['logLevel'] = process.env['BEHALF_TEST_LOG'] ?? 'silent';
  const { files, whoami, drive } = file['gateway'].upstreams;
  files.cwd = join(dataFolder, 'files');
  // The programs behind these run inside the test, so that no build has to exist.
  delete whoami.process;
  delete drive.process;
  adjust(file);
  return parseConfig(file, {});
}

async function unusedPort(taken: number[]): Promise<number> {
  const port = await freePort();
  return taken.includes(port) ? unusedPort(taken) : port;
}

/** The demo, complete and running, with the names that tests need. */
export interface DemoSystem {
  config: BehalfConfig;
  services: Record<'authorizationServer' | 'policy' | 'elicitation' | 'gateway', { close(): Promise<void> }>;
  /** Its processes and servers; there are none in one process. */
  fleet?: Fleet;
  /** Of the processes of a fleet, which are named `<service>-<nth>`. */
  clocks?: ProcessClocks;
  /** Moves the clock of everything; `jest.useRealTimers` and `passSeconds(0)` bring it back. */
  passSeconds(seconds: number): void;
  issuer: string;
  gateway: string;
  /** The MCP URL of an upstream, which is also its resource identifier. */
  mcpUrl(upstream: string): string;
  /** Ends everything. The data folder stays when the caller named it. */
  close(): Promise<void>;
}

export interface DemoSystemOptions {
  /** More of the environment of every process of a service in a fleet. */
  environmentOf?: (service: ServiceName) => Record<string, string>;
  /** Of each service of a fleet; two without it. */
  replicas?: number;
  /** How the processes of a fleet reach their servers. */
  wayTo?: WayTo;
  config?: BehalfConfig;
  adjust?: AdjustConfig;
  /** Where the server behind whoami listens, which is found at this port; there, without it. */
  portOfWhoami?: (foundAt: number) => Promise<number>;
  /** The same for Demo Drive. */
  portOfDrive?: (foundAt: number) => Promise<number>;
}

/** Starts all services, the servers behind whoami and drive, and Demo Drive itself, on free ports. */
export async function startDemoSystem(options: DemoSystemOptions = {}): Promise<DemoSystem> {
  const temporary = options.config ? undefined : await mkdtemp(join(tmpdir(), 'behalf-'));
  const config = options.config ?? (await demoConfigOnFreePorts(temporary ?? '', options.adjust));
  await mkdir(join(config.dataFolder, 'files'), { recursive: true });
  const { issuer } = config.authorizationServer;
  const programs: { close(): Promise<void> }[] = [];
  const closePrograms = async (): Promise<void> => {
    for (const program of programs) await program.close();
  };
  const removeTemporary = async (): Promise<void> => {
    if (temporary) await rm(temporary, { recursive: true, force: true });
  };
  try {
    const whoami = trustedBy(config, 'whoami');
    const port = (await options.portOfWhoami?.(whoami.port)) ?? whoami.port;
    programs.push(
      await startWhoami({ ...whoami, port }),
      ...(await startDrives(config, options.portOfDrive)),
    );
    const running = shape === 'fleet' ? await startAsFleet(config, options) : await startInOneProcess(config);
    return {
      config,
      services: running.services,
      ...(running.fleet && { fleet: running.fleet }),
      ...(running.clocks && { clocks: running.clocks }),
      passSeconds: (seconds) => {
        moveOwnClock(seconds);
        running.clocks?.put(seconds);
      },
      issuer,
      gateway: config.gateway.publicUrl,
      mcpUrl: (name) => upstreamResource(config.gateway, name),
      close: async () => {
        await running.close();
        await closePrograms();
        await removeTemporary();
      },
    };
  } catch (error) {
    await closePrograms();
    await removeTemporary();
    throw error;
  }
}

type Running = Pick<DemoSystem, 'services' | 'fleet' | 'clocks' | 'close'>;

function startInOneProcess(config: BehalfConfig): Promise<Running> {
  return openInfrastructure({ name: 'behalf-test', config }, startStandalone);
}

async function startAsFleet(
  config: BehalfConfig,
  { wayTo, environmentOf, replicas = 2 }: DemoSystemOptions,
): Promise<Running> {
  const clocks = new ProcessClocks(join(config.dataFolder, 'clocks'));
  const file = join(config.dataFolder, 'behalf.json');
  await writeFile(file, JSON.stringify(config));
  const fleet = await startFleet({
    config,
    configFiles: file,
    dist: resolve('dist'),
    replicas,
    wayTo,
    environmentOf: (service, nth) => ({
      ...clocks.environmentOf(`${service}-${nth + 1}`),
      ...environmentOf?.(service),
    }),
    ...(config.logLevel !== 'silent' && {
      onLine: (_service, line) => void process.stderr.write(`${line}\n`),
    }),
  });
  const services = Object.entries(settingsOf).map(([name, key]) => {
    const close = async (): Promise<void> => {
      await Promise.all(fleet.services[name as keyof typeof settingsOf].map((replica) => replica.stop()));
    };
    return [key, { close }];
  });
  return {
    services: Object.fromEntries(services) as Running['services'],
    fleet,
    clocks,
    close: () => fleet.close(),
  };
}

function trustedBy(config: BehalfConfig, name: string) {
  const { issuer, paths } = config.authorizationServer;
  const upstream = config.gateway.upstreams[name];
  if (upstream?.transport !== 'http') throw new Error(`the demo has no ${name}`);
  const { url } = upstream;
  return { port: Number(new URL(url).port), issuer, jwksUri: `${issuer}${paths.jwks}`, resource: url };
}

async function startDrives(config: BehalfConfig, portOf: DemoSystemOptions['portOfDrive']) {
  const [provider] = config.elicitation.providers;
  if (provider?.kind !== 'oauth' || provider.issuer === undefined || !config.gateway.upstreams['drive'])
    return [];
  const { publicUrl, paths } = config.elicitation;
  return [
    await startDrive({
      issuer: provider.issuer,
      port: await portOf?.(Number(new URL(provider.issuer).port)),
      redirectUri: `${publicUrl}${paths.callback}/${provider.id}`,
      clientSecret: 'behalf-at-drive',
    }),
    await startDriveServer({
      ...trustedBy(config, 'drive'),
      clientId: 'demo-drive-server',
      clientSecret: 'demo-drive-server-secret',
      api: `${provider.issuer}/api`,
    }),
  ];
}
