import { RecordConflict, type RecordKind, type RecordStore, type StoredRecord } from '@behalf/ports';
import { z } from 'zod';
import type { ApprovalUse } from './decide-with-conditions.js';

export const accessRequestSchema = z.object({
  /** `used` is an approval that has been spent. */
  state: z.enum(['pending', 'approved', 'denied', 'used']),
  approval: z.enum(['human', 'other-human']),
  /** Digest of the exact call, see `bindingOf`. */
  binding: z.string(),
  person: z.string(),
  /** Names of all actors of the chain, those of other issuers as `<iss>#<sub>`. None of them may approve. */
  actors: z.array(z.string()),
  /** The client that asked; it may not approve, either. */
  requestedBy: z.string(),
  policies: z.array(z.string()),
  policyVersion: z.string(),
  /** The evaluation, sealed: whoever approves has to see the arguments. */
  sealed: z.string(),
  requestedAtMs: z.number().int(),
  expiresAtMs: z.number().int(),
  decidedBy: z.string().optional(),
  decidedAtMs: z.number().int().optional(),
  note: z.string().optional(),
});
export type AccessRequest = z.infer<typeof accessRequestSchema>;

export const accessRequests: RecordKind<AccessRequest> = {
  name: 'access-request',
  schema: accessRequestSchema,
  keys: ({ binding, person, state }) => ({ binding, person, state }),
};

/** Which request a caller's `Idempotency-Key` has led to. By the digest of caller and key, so that no key is kept. */
export const accessRequestKeys: RecordKind<{ accessRequest: string; binding: string }> = {
  name: 'access-request-key',
  schema: z.object({ accessRequest: z.string(), binding: z.string() }),
};

/** Who decides on a request, by the claims of a verified token. */
export interface Approver {
  sub: string;
  clientId: string;
  /** True when the token carries an `act` claim: an agent speaks. */
  isDelegated: boolean;
  /** May decide for everybody, not only for themselves. */
  isAdministrator: boolean;
}

export type ApprovalRefusal = 'not_a_person' | 'not_yours' | 'must_be_another' | 'not_pending' | 'not_found';

export class ApprovalRefused extends Error {
  override readonly name = 'ApprovalRefused';
  constructor(readonly reason: ApprovalRefusal) {
    super(`approval refused: ${reason}`);
  }
}

/**
 * Approves or denies, once. The attack is an agent that approves its own call: no token with an `act` claim, no token of
 * a client for itself and no actor of the chain decides anything.
 *
 * @throws ApprovalRefused
 */
export async function decideAccessRequest(
  records: RecordStore,
  id: string,
  decision: { approve: boolean; note?: string | undefined },
  approver: Approver,
  nowMs: number,
): Promise<AccessRequest> {
  try {
    return await records.transaction(async (transaction) => {
      const found = await transaction.get(accessRequests, id);
      if (found === undefined || found.value.expiresAtMs <= nowMs) throw new ApprovalRefused('not_found');
      checkApprover(found.value, approver, decision.approve);
      if (found.value.state !== 'pending') throw new ApprovalRefused('not_pending');
      const decided: AccessRequest = {
        ...found.value,
        state: decision.approve ? 'approved' : 'denied',
        decidedBy: approver.sub,
        decidedAtMs: nowMs,
        ...(decision.note !== undefined && { note: decision.note }),
      };
      await transaction.put(accessRequests, id, decided, writeOver(found));
      return decided;
    });
  } catch (error) {
    if (error instanceof RecordConflict) throw new ApprovalRefused('not_pending');
    throw error;
  }
}

function checkApprover(request: AccessRequest, approver: Approver, approve: boolean): void {
  const isPerson =
    !approver.isDelegated &&
    approver.sub !== approver.clientId &&
    // Not only by name: an agent may also hold a token that the person gave it without knowing what for.
    [approver.sub, approver.clientId].every(
      (name) => !request.actors.some((actor) => mayBe(actor, name)) && name !== request.requestedBy,
    );
  if (!isPerson) throw new ApprovalRefused('not_a_person');
  const isOwn = approver.sub === request.person;
  if (!isOwn && !approver.isAdministrator) throw new ApprovalRefused('not_yours');
  if (approve && isOwn && request.approval === 'other-human') throw new ApprovalRefused('must_be_another');
}

/**
 * Whether an actor of this name may be who has that name here. One of another issuer may be known here by its name there, so
 * a namesake is refused, too: somebody else can approve, and an agent that approves its own call cannot be undone.
 */
function mayBe(actor: string, name: string): boolean {
  return actor === name || actor.endsWith(`#${name}`);
}

/** Approvals in the record store: whoever moves one from `approved` to `used` first has used it, and nobody else. */
export class RecordedApprovals implements ApprovalUse {
  constructor(private readonly records: RecordStore) {}

  async isUsable(
    id: string,
    binding: string,
    approval: AccessRequest['approval'],
    nowMs: number,
  ): Promise<boolean> {
    return isUsable(await this.records.get(accessRequests, id), binding, approval, nowMs);
  }

  async use(
    id: string,
    binding: string,
    approval: AccessRequest['approval'],
    nowMs: number,
  ): Promise<boolean> {
    try {
      return await this.records.transaction(async (transaction) => {
        const found = await transaction.get(accessRequests, id);
        if (!isUsable(found, binding, approval, nowMs)) return false;
        const used: AccessRequest = { ...found.value, state: 'used' };
        await transaction.put(accessRequests, id, used, writeOver(found));
        return true;
      });
    } catch (error) {
      if (error instanceof RecordConflict) return false;
      throw error;
    }
  }
}

function isUsable(
  found: StoredRecord<AccessRequest> | undefined,
  binding: string,
  approval: AccessRequest['approval'],
  nowMs: number,
): found is StoredRecord<AccessRequest> {
  return (
    found !== undefined &&
    found.value.state === 'approved' &&
    found.value.binding === binding &&
    found.value.expiresAtMs > nowMs &&
    // What was asked for as an approval by anybody does not stand in for one by somebody else.
    (approval === 'human' || found.value.approval === 'other-human')
  );
}

function writeOver(found: StoredRecord<AccessRequest>) {
  return { expectedVersion: found.version, expiresAtMs: found.expiresAtMs };
}
