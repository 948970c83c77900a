import { type Infrastructure, type RunningService, bootstrapService } from '@behalf/service-kit';
import { Module } from '@nestjs/common';
import { connectController } from './http/connect.controller.js';

/** The elicitation service: the broker to third-party authorization servers. */
@Module({})
export class ElicitationModule {}

export function startElicitation(infrastructure: Infrastructure): Promise<RunningService> {
  const { listen, paths } = infrastructure.config.elicitation;
  return bootstrapService({
    name: 'elicitation',
    module: { module: ElicitationModule, controllers: [connectController(paths)] },
    listen,
    infrastructure,
  });
}
