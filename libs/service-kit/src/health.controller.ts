import type { BehalfConfig } from '@behalf/config';
import { Controller, Get, Inject, Res, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Response } from 'express';

/** Provide this token in a service's module to say when it is ready. */
export const READINESS = Symbol('READINESS');

export interface Readiness {
  /** What it still waits for, by name; empty when it can serve. */
  waitingFor(): string[];
}

/** `live`: the process lives. `ready`: it can serve; 503 with the reasons while it cannot. */
export function healthController(
  { live, ready }: BehalfConfig['health'],
  infrastructureWaitsFor: () => string[] = () => [],
): Type {
  @Controller()
  class HealthController {
    constructor(@Inject(ModuleRef) private readonly modules: ModuleRef) {}

    @Get(live)
    isAlive(): { status: string } {
      return { status: 'ok' };
    }

    @Get(ready)
    isReady(@Res() response: Response): void {
      const waitingFor = [...infrastructureWaitsFor(), ...(this.#readiness()?.waitingFor() ?? [])];
      response
        .status(waitingFor.length === 0 ? 200 : 503)
        .set('Cache-Control', 'no-store')
        .json(waitingFor.length === 0 ? { status: 'ready' } : { status: 'waiting', waiting_for: waitingFor });
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
  return HealthController;
}
