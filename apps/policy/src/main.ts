import { openEmbedded } from '@behalf/embedded';
import { runUntilSignal } from '@behalf/service-kit';
import { startPolicy } from './policy.module.js';

await runUntilSignal(() => openEmbedded('policy', startPolicy));
