import { openEmbedded } from '@behalf/embedded';
import { runUntilSignal } from '@behalf/service-kit';
import { startElicitation } from './elicitation.module.js';

await runUntilSignal(() => openEmbedded('elicitation', startElicitation));
