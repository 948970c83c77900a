import { type ElicitationStatus, elicitationStatuses, elicitedRequestSchema } from '@behalf/contracts';
import type { RecordKind } from '@behalf/ports';
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Somebody needs a third party's token for a person, and the person has to agree. One record, however it is shown. */
export const elicitationSchema = z.object({
  person: z.string(),
  /** The client that the person uses. */
  client: z.string(),
  /** Who acts for them, the one who asked first. */
  actors: z.array(z.string()),
  /** What they call themselves, by id: shown, never compared. */
  names: z.record(z.string(), z.string()).default({}),
  provider: z.string(),
  resource: z.string(),
  scopes: z.array(z.string()),
  request: elicitedRequestSchema.optional(),
  /** What the person agreed to with their client, their session and the chain: it ends when one of these does. */
  origin: z
    .object({ grantId: z.string().optional(), sid: z.string().optional(), txn: z.string().optional() })
    .default({}),
  createdAtMs: z.int(),
  expiresAtMs: z.int(),
  status: z.enum(elicitationStatuses),
  statusSinceMs: z.int(),
});
export type Elicitation = z.output<typeof elicitationSchema>;

const live: ReadonlySet<ElicitationStatus> = new Set(['pending', 'opened', 'consented']);

export const elicitationRecords: RecordKind<Elicitation> = {
  name: 'elicitation',
  schema: elicitationSchema,
  keys: (elicitation) => ({
    account: accountKey(elicitation),
    asker: askerKey(elicitation),
    fingerprint: fingerprintOf(elicitation),
    isOver: String(!live.has(elicitation.status)),
  }),
};

/** How long a record stays readable after its end, so that a late visitor is told what became of it. */
export const keptAfterMs = 24 * 3600 * 1000;

/** The status at a moment: what nobody finished in time has expired, whether or not anybody wrote that down. */
export function statusAt({ status, expiresAtMs }: Elicitation, nowMs: number): ElicitationStatus {
  return live.has(status) && expiresAtMs <= nowMs ? 'expired' : status;
}

export function isLive(elicitation: Elicitation, nowMs: number): boolean {
  return live.has(statusAt(elicitation, nowMs));
}

/** A person's account at a provider. */
export function accountKey({ person, provider }: Pick<Elicitation, 'person' | 'provider'>): string {
  return digest([person, provider]);
}

/** Who is agreed to: for this account, this client through exactly this chain. */
export function askerKey({
  person,
  provider,
  client,
  actors,
}: Pick<Elicitation, 'person' | 'provider' | 'client' | 'actors'>): string {
  return digest([person, provider, client, actors]);
}

/** Two requests with the same fingerprint are shown the same link. */
export function fingerprintOf(
  elicitation: Pick<
    Elicitation,
    'person' | 'client' | 'actors' | 'provider' | 'resource' | 'scopes' | 'request'
  >,
): string {
  const { resource, scopes, request } = elicitation;
  return digest([askerKey(elicitation), resource, scopes.toSorted(), request?.digest ?? null]);
}

/** JSON keeps the parts apart, so that ("ab", "c") never reads as ("a", "bc"). */
function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
