import { authorizationDetailsSchema } from '@behalf/oauth';
import type { RecordKind } from '@behalf/ports';
import { z } from 'zod';

/** Long enough to open a link, too short to lie around. */
export const requestLifetimeSeconds = 600;

/** What an agent asked for: bound to the person, the agent, the resource and the scopes from the beginning. */
export const delegationRequestSchema = z.object({
  person: z.string(),
  agent: z.string(),
  resource: z.string(),
  scopes: z.array(z.string()).min(1),
  authorizationDetails: authorizationDetailsSchema,
  purpose: z.string(),
  grantLifetimeSeconds: z.int(),
  state: z.enum(['pending', 'approved', 'denied']),
  createdAtMs: z.int(),
  expiresAtMs: z.int(),
  /** Once approved. */
  grantId: z.string().optional(),
});
export type DelegationRequestRecord = z.output<typeof delegationRequestSchema>;

export interface DelegationRequest extends Omit<DelegationRequestRecord, 'state'> {
  id: string;
  state: DelegationRequestRecord['state'] | 'expired';
}

export const requestRecords: RecordKind<DelegationRequestRecord> = {
  name: 'delegation-request',
  schema: delegationRequestSchema,
  keys: ({ person, agent, resource }) => ({ person, agent, resource }),
};

/** A request that nobody decided in time reads as expired, for as long again: who comes late is told so. */
export function toRequest(
  { id, value }: { id: string; value: DelegationRequestRecord },
  nowMs: number,
): DelegationRequest {
  const isOver = value.state === 'pending' && value.expiresAtMs <= nowMs;
  return { ...value, id, state: isOver ? 'expired' : value.state };
}
