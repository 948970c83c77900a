import { openEmbedded } from '@behalf/embedded';
import { runUntilSignal } from '@behalf/service-kit';
import { startGateway } from './gateway.module.js';

await runUntilSignal(() => openEmbedded('gateway', startGateway));
