import { type Infrastructure, type RunningService, bootstrapService } from '@behalf/service-kit';
import { Module } from '@nestjs/common';
import { ConnectController } from './http/connect.controller.js';

/** The elicitation service: the broker to third-party authorization servers. */
@Module({ controllers: [ConnectController] })
export class ElicitationModule {}

export function startElicitation(infrastructure: Infrastructure): Promise<RunningService> {
  return bootstrapService({
    name: 'elicitation',
    module: ElicitationModule,
    listen: infrastructure.config.elicitation.listen,
    infrastructure,
  });
}
