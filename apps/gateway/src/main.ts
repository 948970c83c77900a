import { openInfrastructure } from '@behalf/infrastructure';
import { runUntilSignal } from '@behalf/service-kit';
import { startGateway } from './gateway.module.js';

await runUntilSignal(() => openInfrastructure({ name: 'gateway', relaysEvents: false }, startGateway));
