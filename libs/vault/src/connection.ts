import type { RecordKind, StoredRecord } from '@behalf/ports';
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** `needs_consent`: its person has to connect anew; `disconnected`: its person, or an operator, ended it. */
export const connectionStatuses = ['active', 'needs_consent', 'disconnected'] as const;
export type ConnectionStatus = (typeof connectionStatuses)[number];

/** Why a connection does not work, in one word. */
export const connectionReasons = [
  /** The person disconnected it. */
  'disconnected_by_owner',
  /** An operator did. */
  'disconnected_by_operator',
  /** The person left. */
  'person_offboarded',
  /** The provider refused the refresh token, or the credential. */
  'refused_by_provider',
  /** The provider told us that it was revoked. */
  'revoked_by_provider',
  /** The access token is over and there is nothing to refresh it with. */
  'expired',
  /** An answer with new tokens got lost, and the provider did not answer again. */
  'refresh_lost',
  /** What is stored is not what was stored last. */
  'not_authentic',
] as const;
export type ConnectionReason = (typeof connectionReasons)[number];

/** Somebody ended it, here or at the provider: with it ends what was agreed to about it. */
export function isEndedByChoice({
  status,
  reason,
}: {
  status: ConnectionStatus;
  reason?: string | undefined;
}): boolean {
  return status === 'disconnected' || reason === 'revoked_by_provider';
}

/** What is kept of a connection. Everything but `sealed` may be shown to its owner. */
export const connectionRecordSchema = z.object({
  /** The person, by `sub`. */
  owner: z.string().min(1),
  tenant: z.string().min(1),
  providerId: z.string().min(1),
  resource: z.string().min(1),
  scopes: z.array(z.string()),
  status: z.enum(connectionStatuses),
  reason: z.enum(connectionReasons).optional(),
  createdAtMs: z.int(),
  /** When it came into its status. */
  statusSinceMs: z.int(),
  /** Grows with every set of tokens that was stored; bound into what is sealed. */
  credentialVersion: z.int().min(0),
  /** Undefined: until the provider refuses it. */
  accessTokenExpiresAtMs: z.int().optional(),
  /** When the tokens were stored. */
  credentialSinceMs: z.int(),
  isRefreshable: z.boolean(),
  /** What the provider knows the account by, as a MAC; absent where it does not say. */
  accountKey: z.string().optional(),
  /** Opening one of these is what only a thief does. */
  sealed: z
    .object({ access: z.string(), refresh: z.string().optional(), account: z.string().optional() })
    .optional(),
  refresh: z
    .object({
      /** The fencing token of the lease the last attempt was made under. */
      fence: z.int(),
      startedAtMs: z.int(),
      /** From the moment before the request leaves until whoever sent it knows the outcome, or gave up. */
      isAsking: z.boolean(),
      /** An answer may have been lost: the refresh token may be used up. */
      mayBeUsed: z.boolean(),
      failures: z.int(),
      /** Not to be tried before. */
      notBeforeMs: z.int(),
    })
    .optional(),
  /** From which version the tokens came, and under which fence: of two late answers the later one stays. */
  refreshedFrom: z.object({ credentialVersion: z.int(), fence: z.int() }).optional(),
});
export type ConnectionRecord = z.output<typeof connectionRecordSchema>;

export const connectionKind: RecordKind<ConnectionRecord> = {
  name: 'connection',
  schema: connectionRecordSchema,
  keys: ({ owner, tenant, providerId, status, accountKey }) => ({
    owner,
    tenant,
    providerId,
    status,
    ...(accountKey !== undefined && { accountKey }),
  }),
};

/** Who used a connection last. A record of its own, so that using never stands in the way of refreshing. */
export const connectionUseSchema = z.object({
  owner: z.string(),
  usedAtMs: z.int(),
  /** The actors, the current one first. */
  actors: z.array(z.string()),
  clientId: z.string(),
});
export type ConnectionUse = z.output<typeof connectionUseSchema>;
export const connectionUseKind: RecordKind<ConnectionUse> = {
  name: 'connection-use',
  schema: connectionUseSchema,
  keys: ({ owner }) => ({ owner }),
};

/** A connection as its owner sees it. */
export interface Connection {
  readonly id: string;
  readonly owner: string;
  readonly tenant: string;
  readonly providerId: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly status: ConnectionStatus;
  readonly reason: ConnectionReason | undefined;
  readonly createdAtMs: number;
  readonly statusSinceMs: number;
  readonly accessTokenExpiresAtMs: number | undefined;
  readonly isRefreshable: boolean;
  readonly lastUse: ConnectionUse | undefined;
  /** Grows with every change. */
  readonly version: number;
}

/** One person has one connection to one resource of one provider: its id follows from these, and two writers meet. */
export function connectionId(
  of: Pick<ConnectionRecord, 'tenant' | 'owner' | 'providerId' | 'resource'>,
): string {
  const parts = JSON.stringify([of.tenant, of.owner, of.providerId, of.resource]);
  return createHash('sha256').update(`behalf connection ${parts}`).digest('base64url');
}

export function toConnection(record: StoredRecord<ConnectionRecord>, lastUse?: ConnectionUse): Connection {
  const { owner, tenant, providerId, resource, scopes, status, reason, createdAtMs } = record.value;
  const { statusSinceMs, accessTokenExpiresAtMs, isRefreshable } = record.value;
  return {
    id: record.id,
    owner,
    tenant,
    providerId,
    resource,
    scopes,
    status,
    reason,
    createdAtMs,
    statusSinceMs,
    accessTokenExpiresAtMs,
    isRefreshable,
    lastUse,
    version: record.version,
  };
}
