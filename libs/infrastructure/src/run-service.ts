import { type Infrastructure, type RunningService, runUntilSignal } from '@behalf/service-kit';
import { type InfrastructureOptions, openInfrastructure } from './open-infrastructure.js';
import { whenAvailable } from './when-available.js';

/** The whole of a service's program: opens what it stands on, runs it until a signal, and says where it listens. */
export async function runService(
  options: InfrastructureOptions,
  start: (infrastructure: Infrastructure) => Promise<RunningService>,
): Promise<void> {
  await runUntilSignal(async () => {
    const running = await whenAvailable(() => openInfrastructure(options, start));
    console.log(`${options.name} listens on ${running.url}`);
    return running;
  });
}
