import { auditCheckpointSigned } from './audit.js';
import { events } from './event-catalogue.js';

/**
 * Programs that are none of our services. They hear events and say nothing: `observer` everything that is published,
 * persons included; `witness` how far the audit log has grown.
 */
export const listenerNames = ['observer', 'witness'] as const;
export type ListenerName = (typeof listenerNames)[number];

export const listenerAccess = {
  observer: { hears: events },
  witness: { hears: [auditCheckpointSigned] },
} as const;
