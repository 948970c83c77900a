import { runService } from '@behalf/infrastructure';
import { startPolicy } from './policy.module.js';

await runService({ name: 'policy', relaysEvents: false }, startPolicy);
