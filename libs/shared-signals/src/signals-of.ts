import {
  agentChanged,
  agentRetired,
  agentSuspended,
  delegationGrantNarrowed,
  type Revocation,
  revocationCreated,
} from '@behalf/contracts';
import type { EventContract, EventEnvelope } from '@behalf/ports';
import { caepEvents } from './event-types.js';
import type { SignalFacts } from './ports.js';
import type { Signal } from './security-event-token.js';
import type { ComplexSubject, SimpleSubject, Subject } from './subject-identifier.js';

const opaque = (id: string): SimpleSubject => ({ format: 'opaque', id });

/** Members of an agent that are how it proves who it is. */
const credentials = new Set(['jwks', 'jwksUri', 'credential']);

/**
 * What an event of ours says to the world outside, in CAEP: an end is `session-revoked`, other keys `credential-change`,
 * other authority `token-claims-change`. Most events say nothing there.
 *
 * @throws ZodError for an event that is not as its contract says
 */
export async function signalsOf(
  event: EventEnvelope<unknown>,
  issuer: string,
  facts: SignalFacts,
): Promise<Signal[]> {
  const when = { event_timestamp: Math.floor(event.occurredAtMs / 1000) };
  const user = (sub: string | undefined): Pick<ComplexSubject, 'user'> =>
    sub === undefined ? {} : { user: { format: 'iss_sub', iss: issuer, sub } };
  const read = <T>(contract: EventContract<T>): T => contract.data.parse(event.data);
  const ended = (subject: Subject, more: object = {}, txn?: string): Signal[] => [
    { type: caepEvents.sessionRevoked, subject, payload: { ...when, ...more }, txn },
  ];
  const byAdmin = { initiating_entity: 'admin' };
  const changed = (subject: Subject, claims: Record<string, unknown>): Signal => ({
    type: caepEvents.tokenClaimsChange,
    subject,
    payload: { ...when, ...byAdmin, claims },
  });

  switch (event.type) {
    case revocationCreated.type: {
      const revocation = read(revocationCreated);
      const person = revocation.person ?? (await personOf(revocation, facts));
      const subject = subjectOf(revocation, issuer, user(person));
      return subject ? ended(subject, {}, transactionOf(revocation)) : [];
    }
    case agentSuspended.type:
    case agentRetired.type:
      return ended({ format: 'complex', application: opaque(read(agentSuspended).id) }, byAdmin);
    case agentChanged.type: {
      const { id, changed: members } = read(agentChanged);
      const agent = await facts.findAgent(id);
      const subject = { format: 'complex', application: opaque(id) } as const;
      if (!agent) return [];
      return [
        ...(members.includes('ceiling') ? [changed(subject, { scope: agent.scopes.join(' ') })] : []),
        ...(members.some((member) => credentials.has(member))
          ? [
              {
                type: caepEvents.credentialChange,
                subject,
                payload: {
                  ...when,
                  ...byAdmin,
                  credential_type: agent.credential,
                  change_type: 'update',
                },
              },
            ]
          : []),
      ];
    }
    case delegationGrantNarrowed.type: {
      const { id, agent } = read(delegationGrantNarrowed);
      const grant = await facts.findGrant(id);
      const subject = {
        format: 'complex',
        application: opaque(agent),
        session: opaque(id),
        ...user(grant?.person),
      } as const;
      return grant ? [changed(subject, { scope: grant.scopes.join(' ') })] : [];
    }
    default:
      return [];
  }
}

async function personOf({ kind, id }: Revocation, facts: SignalFacts): Promise<string | undefined> {
  if (kind === 'person') return id;
  return kind === 'grant' ? (await facts.findGrant(id))?.person : undefined;
}

function subjectOf(
  { kind, id, issuedUntilMs }: Revocation,
  issuer: string,
  user: Pick<ComplexSubject, 'user'>,
): Subject | undefined {
  switch (kind) {
    case 'token':
      return { format: 'jwt_id', iss: issuer, jti: id };
    case 'session':
    case 'transaction':
      return { format: 'complex', session: opaque(id), ...user };
    case 'grant':
      // A narrowed grant goes on: that is another event.
      return issuedUntilMs === undefined ? { format: 'complex', session: opaque(id), ...user } : undefined;
    case 'person':
      return user.user;
    case 'client':
      // Agents have events of their own, which say whether it is suspended or may act again.
      return undefined;
  }
}

function transactionOf({ kind, id }: Revocation): string | undefined {
  return kind === 'transaction' ? id : undefined;
}
