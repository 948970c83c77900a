import { runService } from '@behalf/infrastructure';
import { startAuthorizationServer } from './authorization-server.module.js';

await runService({ name: 'authorization-server' }, startAuthorizationServer);
