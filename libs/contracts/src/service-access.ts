import type { EventContract, RequestContract } from '@behalf/ports';
import { agentRetired, agentSuspended } from './agents.js';
import { connectionChanged, consentWithdrawn } from './connections.js';
import {
  describeChain,
  elicitationChanged,
  endThirdPartyAccount,
  requestThirdPartyToken,
} from './elicitation.js';
import { policyChanged, signingKeysRotated, toolPinsChanged } from './events.js';
import { readAccessRequest, requestAccess } from './policy-admin.js';
import { evaluatePolicy } from './evaluate-policy.js';
import { evaluatePolicyBatch, listDecisionGrantKeys } from './policy.js';
import { listRevocations, revocationCreated } from './revocations.js';

export const serviceNames = ['authorization-server', 'policy', 'elicitation', 'gateway'] as const;
export type ServiceName = (typeof serviceNames)[number];

type Subject = Pick<RequestContract<never, never>, 'subject'> & { repeatable?: unknown };
type EventType = Pick<EventContract<never>, 'type' | 'stream'>;

export interface ServiceAccess {
  /** Requests it answers. */
  answers: readonly Subject[];
  /** Requests it makes of others. */
  asks: readonly Subject[];
  /** Events it listens to. */
  hears: readonly EventType[];
  /** The one that carries the events of all services from the database to the bus. */
  publishesEvents: boolean;
}

/** What each service does on the bus. It is allowed that and nothing else. */
export const serviceAccess: Readonly<Record<ServiceName, ServiceAccess>> = {
  'authorization-server': {
    answers: [listRevocations, describeChain],
    asks: [evaluatePolicy, requestThirdPartyToken, endThirdPartyAccount],
    hears: [signingKeysRotated, revocationCreated, policyChanged, connectionChanged, consentWithdrawn],
    publishesEvents: true,
  },
  policy: {
    answers: [evaluatePolicy, evaluatePolicyBatch, requestAccess, readAccessRequest, listDecisionGrantKeys],
    asks: [listRevocations],
    hears: [revocationCreated, policyChanged, toolPinsChanged],
    publishesEvents: false,
  },
  elicitation: {
    answers: [requestThirdPartyToken, endThirdPartyAccount],
    asks: [listRevocations, listDecisionGrantKeys, evaluatePolicy, describeChain],
    hears: [revocationCreated, agentSuspended, agentRetired, connectionChanged, elicitationChanged],
    publishesEvents: false,
  },
  gateway: {
    answers: [],
    asks: [evaluatePolicy, evaluatePolicyBatch, requestAccess, readAccessRequest, listRevocations],
    hears: [revocationCreated],
    publishesEvents: false,
  },
};
