import { openEmbedded } from '@behalf/embedded';
import { runUntilSignal } from '@behalf/service-kit';
import { startAuthorizationServer } from './authorization-server.module.js';

await runUntilSignal(() => openEmbedded('authorization-server', startAuthorizationServer));
