import { openEmbedded } from '@behalf/embedded';
import { runUntilSignal } from '@behalf/service-kit';
import { printWelcome } from './print-welcome.js';
import { startStandalone } from './start-standalone.js';

await runUntilSignal(async () => {
  const began = performance.now();
  const running = await openEmbedded('behalf', startStandalone);
  printWelcome(running.config, (performance.now() - began) / 1000);
  return running;
});
