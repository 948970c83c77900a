import { openInfrastructure } from '@behalf/infrastructure';
import { runUntilSignal } from '@behalf/service-kit';
import { startElicitation } from './elicitation.module.js';

await runUntilSignal(() =>
  openInfrastructure({ name: 'elicitation', relaysEvents: false }, startElicitation),
);
