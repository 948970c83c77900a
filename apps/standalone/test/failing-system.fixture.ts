import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultyProxy, type LocalServer } from '@behalf/local-servers';
import { SmallDisk, freePort } from '@behalf/testing';
import type { Fleet } from '../../../deploy/fleet/start-fleet.js';
import type { ServerName } from '../../../deploy/fleet/start-servers.js';
import { type DemoSystem, demoConfigOnFreePorts, startDemoSystem } from './demo-system.fixture.js';

const diskMegabytes = 192;

/** Services that have ways of their own: theirs to NATS, and that of their callers to them over HTTP. */
export const guarded = ['policy', 'elicitation'] as const;
export type Guarded = (typeof guarded)[number];
export type OwnWay = `${Guarded} ${'to NATS' | 'over HTTP'}`;

/** The demo as a fleet that can be broken: what its parts reach each other by leads through proxies, and disks are small. */
export class FailingSystem {
  readonly #ways: Partial<Record<ServerName | OwnWay, FaultyProxy>> = {};
  readonly #disks: Partial<Record<ServerName, SmallDisk>> = {};
  #system: DemoSystem | undefined;

  private constructor(readonly folder: string) {}

  static async start(): Promise<FailingSystem> {
    const failing = new FailingSystem(await mkdtemp(join(tmpdir(), 'behalf-failures-')));
    try {
      await failing.#open();
      return failing;
    } catch (error) {
      await failing.close();
      throw error;
    }
  }

  get system(): DemoSystem {
    if (!this.#system) throw new Error('the system was not started');
    return this.#system;
  }

  get fleet(): Fleet {
    const { fleet } = this.system;
    if (!fleet) throw new Error('this suite is for the fleet: npm run test:failures');
    return fleet;
  }

  serverOf(name: ServerName): LocalServer {
    const server = this.fleet.servers[name];
    if (!server) throw new Error(`${name} was not started here`);
    return server;
  }

  wayTo(name: ServerName | OwnWay): FaultyProxy {
    const way = this.#ways[name];
    if (!way) throw new Error(`${name} is not reached through a proxy`);
    return way;
  }

  /** Nothing where disks cannot be made small. */
  diskOf(name: ServerName): SmallDisk | undefined {
    return this.#disks[name];
  }

  async close(): Promise<void> {
    await this.#system?.close();
    for (const way of Object.values(this.#ways)) await way.close();
    for (const disk of Object.values(this.#disks)) disk.unmount();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    const otherPorts = { policy: await freePort(), elicitation: await freePort() };
    for (const name of ['nats', 'redis', 'postgres'] as const) {
      if (SmallDisk.isPossible())
        this.#disks[name] = SmallDisk.mount(join(this.folder, 'servers', name), diskMegabytes);
    }
    let natsUrl = '';
    this.#system = await startDemoSystem({
      // What is public stays where the configuration has it; the services listen elsewhere, and what is between can be broken.
      config: await demoConfigOnFreePorts(this.folder, (file) => {
        for (const service of guarded) file[service].listen.port = otherPorts[service];
      }),
      wayTo: async (name, { port, url }) => {
        if (name === 'nats') {
          natsUrl = url;
          for (const service of guarded) this.#ways[`${service} to NATS`] = await FaultyProxy.open(port);
        }
        const way = (this.#ways[name] = await FaultyProxy.open(port));
        return way.via(url);
      },
      environmentOf: (service): Record<string, string> =>
        service === 'policy' || service === 'elicitation'
          ? { NATS_URL: this.wayTo(`${service} to NATS`).via(natsUrl) }
          : {},
    });
    for (const service of guarded) {
      const { listen, publicUrl } = this.#system.config[service];
      const way = await FaultyProxy.open(listen.port, Number(new URL(publicUrl).port));
      this.#ways[`${service} over HTTP`] = way;
    }
  }
}
