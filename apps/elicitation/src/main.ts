import { runService } from '@behalf/infrastructure';
import { startElicitation } from './elicitation.module.js';

await runService({ name: 'elicitation', relaysEvents: false }, startElicitation);
