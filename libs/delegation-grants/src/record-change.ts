import type { DelegationGrantRecord } from '@behalf/contracts';
import { type DelegationRefusal } from './delegation-refusal.js';
import type { Act, DelegationDependencies } from './ports.js';

type About = Pick<DelegationGrantRecord, 'person' | 'agent' | 'resource'>;

/** Tells the audit log of a change, made or refused. Scopes go in, authorization details do not: they are arguments. */
export function recordChange(
  change: string,
  about: Partial<About> & { id?: string | undefined; scopes?: readonly string[] | undefined },
  { by, nowMs }: Act,
  { audit }: Pick<DelegationDependencies, 'audit'>,
  refusal?: DelegationRefusal,
): Promise<void> {
  const { person, agent, resource, id, scopes } = about;
  return audit({
    type: 'delegation',
    outcome: refusal ? 'refused' : 'allowed',
    occurredAtMs: nowMs,
    person: 'person' in by ? by.person : person,
    client: 'administrator' in by ? by.administrator : agent,
    details: {
      change,
      ...(id !== undefined && { id }),
      ...(agent !== undefined && { agent }),
      ...(resource !== undefined && { audience: resource }),
      ...(scopes && { scope: scopes.join(' ') }),
      ...(refusal && { reason: refusal.reason.kind }),
    },
  });
}
