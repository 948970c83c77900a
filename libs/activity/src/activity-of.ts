import { type AuditRecord, fromLeaf, hashLeaf } from '@behalf/audit';
import {
  clientRegistered,
  decisionMade,
  tokenExchanged,
  tokenIssued,
  tokenRefused,
  tokenRequests,
} from '@behalf/contracts';
import type { EventContract, Publication } from '@behalf/ports';

type Request = (typeof tokenRequests)[number];

/** What a client came with, by the type of the record of what became of it. */
const requests: Readonly<Record<string, Request>> = {
  exchange: 'token_exchange',
  'client-credentials': 'client_credentials',
  'id-jag': 'token_exchange',
  'id-jag-redemption': 'identity_assertion',
};

/**
 * A leaf of the audit log as an event; undefined for what is no event, or is told by one that commits with its change.
 * Its id is of this leaf at this place in this log: told twice, it is the same.
 *
 * Does not check that the leaf is in the log.
 *
 * @param origin the name of the log
 * @throws ZodError, SyntaxError for a leaf that is no record
 */
export function activityOf(leaf: string, index: number, origin: string): Publication | undefined {
  const record = fromLeaf(leaf);
  const { contract, data } = tell(record) ?? {};
  if (!contract) return undefined;
  return {
    contract,
    envelope: {
      id: `${origin}/${index}/${hashLeaf(leaf).toString('base64url')}`,
      type: contract.type,
      sequence: index,
      occurredAtMs: record.occurredAtMs,
      data,
    },
  };
}

interface Told {
  contract: EventContract<unknown>;
  data: unknown;
}

function tell(record: AuditRecord): Told | undefined {
  if (record.type === 'decision') return tellDecision(record);
  if (record.type === 'registration') {
    const { client, traceId } = record;
    return record.outcome === 'allowed' ? told(clientRegistered, { client, traceId }) : undefined;
  }
  return tellToken(record);
}

function tellToken(record: AuditRecord): Told | undefined {
  const { type, outcome, details = {} } = record;
  const request = type === 'token' ? requestOf(details['grant_type']) : requests[type];
  if (!request) return undefined;
  const common = {
    ...whoOf(record),
    audience: text(details['audience']),
    scope: text(details['scope']),
    txn: text(details['txn']),
  };
  if (outcome === 'refused')
    return told(tokenRefused, { ...common, request, reason: text(details['reason']) });
  if (type === 'exchange')
    return told(tokenExchanged, {
      ...common,
      profile: text(details['profile']),
      grants: texts(details['delegations']),
      cached: text(details['cached']),
    });
  return told(tokenIssued, {
    ...common,
    request,
    grantId: text(details['grant_id']),
    isAssertion: type === 'id-jag',
  });
}

function tellDecision(record: AuditRecord): Told {
  const { details = {} } = record;
  return told(decisionMade, {
    ...whoOf(record),
    isPermitted: record.outcome === 'allowed',
    action: text(details['action']),
    resourceType: text(details['resourceType']),
    resource: text(details['resource']),
    server: text(details['server']),
    scope: text(details['scope']),
    reason: text(details['reason']),
    policies: texts(details['policies']),
    errors: texts(details['errors']),
    policyVersion: text(details['policyVersion']),
  });
}

function whoOf({ client, person, actors, decisionId, traceId }: AuditRecord) {
  return { client, person, actors, decisionId, traceId };
}

function told<T>(contract: EventContract<T>, data: T): Told {
  return { contract, data };
}

function requestOf(grantType: unknown): Request | undefined {
  return tokenRequests.find((request) => request === grantType);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined;
}
