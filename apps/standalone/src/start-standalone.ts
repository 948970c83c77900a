import type { BehalfConfig } from '@behalf/config';
import type { Infrastructure, RunningService } from '@behalf/service-kit';
import { startAuthorizationServer } from '../../authorization-server/src/authorization-server.module.js';
import { startElicitation } from '../../elicitation/src/elicitation.module.js';
import { startGateway } from '../../gateway/src/gateway.module.js';
import { startPolicy } from '../../policy/src/policy.module.js';

export interface Standalone {
  config: BehalfConfig;
  services: Record<'authorizationServer' | 'policy' | 'elicitation' | 'gateway', RunningService>;
  /** The gateway drains first: it is the one that calls the others. */
  close(signal?: NodeJS.Signals): Promise<void>;
}

/** All services in one process, each on its own port. When one cannot start, those before it are closed again. */
export async function startStandalone(infrastructure: Infrastructure): Promise<Standalone> {
  const started: RunningService[] = [];
  const begin = async (
    start: (infrastructure: Infrastructure) => Promise<RunningService>,
  ): Promise<RunningService> => {
    const service = await start(infrastructure);
    started.push(service);
    return service;
  };
  const close = async (signal?: NodeJS.Signals): Promise<void> => {
    for (const service of started.toReversed()) await service.close(signal);
  };
  try {
    const services = {
      authorizationServer: await begin(startAuthorizationServer),
      policy: await begin(startPolicy),
      elicitation: await begin(startElicitation),
      gateway: await begin(startGateway),
    };
    return { config: infrastructure.config, services, close };
  } catch (error) {
    await close();
    throw error;
  }
}
