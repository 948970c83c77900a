import type { BehalfConfig } from '@behalf/config';
import { Controller, Get, Inject, Res, type Type } from '@nestjs/common';
import type { Response } from 'express';
import { ServiceHealth } from './service-health.js';

/**
 * `live`: the process lives, whatever it stands on: to restart it would bring nothing back. `ready`: it can serve; 503
 * with the reasons while it cannot. Both are told to anybody, and so say names and nothing else.
 */
export function healthController({ live, ready }: BehalfConfig['health']): Type {
  @Controller()
  class HealthController {
    constructor(@Inject(ServiceHealth) private readonly health: ServiceHealth) {}

    @Get(live)
    isAlive(): { status: string } {
      return { status: 'ok' };
    }

    @Get(ready)
    async isReady(@Res() response: Response): Promise<void> {
      const { waitingFor, away } = await this.health.look();
      const isReady = waitingFor.length === 0;
      response
        .status(isReady ? 200 : 503)
        .set('Cache-Control', 'no-store')
        .json({
          status: isReady ? 'ready' : 'waiting',
          ...(!isReady && { waiting_for: waitingFor }),
          ...(away.length > 0 && { away }),
        });
    }
  }
  return HealthController;
}
