import { openInfrastructure } from '@behalf/infrastructure';
import { runUntilSignal } from '@behalf/service-kit';
import { startAuthorizationServer } from './authorization-server.module.js';

await runUntilSignal(() => openInfrastructure({ name: 'authorization-server' }, startAuthorizationServer));
