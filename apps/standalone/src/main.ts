import { openInfrastructure } from '@behalf/infrastructure';
import { runUntilSignal } from '@behalf/service-kit';
import { printWelcome } from './print-welcome.js';
import { startStandalone } from './start-standalone.js';

await runUntilSignal(async () => {
  const began = performance.now();
  const running = await openInfrastructure({ name: 'behalf' }, startStandalone);
  printWelcome(running.config, (performance.now() - began) / 1000);
  return running;
});
