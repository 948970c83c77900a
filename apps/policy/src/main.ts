import { openInfrastructure } from '@behalf/infrastructure';
import { runUntilSignal } from '@behalf/service-kit';
import { startPolicy } from './policy.module.js';

await runUntilSignal(() => openInfrastructure({ name: 'policy', relaysEvents: false }, startPolicy));
