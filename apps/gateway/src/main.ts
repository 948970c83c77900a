import { runService } from '@behalf/infrastructure';
import { startGateway } from './gateway.module.js';

await runService({ name: 'gateway', relaysEvents: false }, startGateway);
