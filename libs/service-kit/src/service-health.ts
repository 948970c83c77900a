import type { ModuleRef } from '@nestjs/core';

/** Servers that services stand on, by the names that health tells. */
export type ServerName = 'postgres' | 'redis' | 'nats';

/** Whether each server can be used at this moment. Never rejects, and takes no longer than who probes waits. */
export type ServerChecks = Readonly<Partial<Record<ServerName, () => Promise<boolean>>>>;

/** What a service does with the servers. It is silent about those that it does nothing with. */
export interface StandsOn {
  /** Nothing that it is there for can be done without: it is not ready while one of them is away. */
  needs: readonly ServerName[];
  /**
   * Some of it can be done without. It stays ready: all replicas miss the same server, so that nobody would be left to
   * do the rest.
   */
  uses: readonly ServerName[];
}

/** Provide this token in a service's module to say when it is ready. */
export const READINESS = Symbol('READINESS');

export interface Readiness {
  /** What it still waits for, by name; empty when it can serve. */
  waitingFor(): string[];
}

export interface Health {
  /** Why it cannot serve; empty when it can. */
  waitingFor: string[];
  /** What it serves without. */
  away: string[];
}

/** Whether a service can serve: what it stands on, and what its module says. */
export class ServiceHealth {
  constructor(
    private readonly modules: Pick<ModuleRef, 'get'>,
    private readonly checks: ServerChecks,
    private readonly standsOn: StandsOn,
  ) {}

  async look(): Promise<Health> {
    const [needed, used] = await Promise.all([
      this.#awayOf(this.standsOn.needs),
      this.#awayOf(this.standsOn.uses),
    ]);
    return { waitingFor: [...needed, ...(this.#readiness()?.waitingFor() ?? [])], away: used };
  }

  async #awayOf(names: readonly ServerName[]): Promise<ServerName[]> {
    const there = await Promise.all(names.map(async (name) => (await this.checks[name]?.()) ?? true));
    return names.filter((_, nth) => !there[nth]);
  }

  /** The service's module provides it, or does not: a service without one is ready once it listens. */
  #readiness(): Readiness | undefined {
    try {
      return this.modules.get<Readiness>(READINESS, { strict: false });
    } catch {
      return undefined;
    }
  }
}
