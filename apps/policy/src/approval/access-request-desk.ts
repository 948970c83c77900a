import type { AuditLog } from '@behalf/audit';
import type { Evaluation, accessRequestSubmissionSchema, accessRequestTaskSchema } from '@behalf/contracts';
import { evaluationSchema } from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import {
  type AccessRequest,
  ApprovalRefused,
  type Approver,
  type MappingOptions,
  type PolicyEngine,
  accessRequestKeys,
  accessRequests,
  decideAccessRequest,
  decideWithConditions,
  digestOf,
} from '@behalf/policy';
import { type Clock, RecordConflict, type RecordStore, type StoredRecord } from '@behalf/ports';
import { type KeyEncryptionKey, open, seal } from '@behalf/sealing';
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { actorNames } from '../decision-attributes.js';

type Task = z.infer<typeof accessRequestTaskSchema>;
/** How long the outcome can be read after the time is over. */
const keepMs = 3_600_000;
/** What waits for decisions about one person. An agent that asks on and on must not bury what the person wanted. */
const maxPendingPerPerson = 50;

export interface AccessRequestDeskOptions {
  records: RecordStore;
  clock: Clock;
  audit: AuditLog;
  engine: PolicyEngine;
  keyEncryptionKey: KeyEncryptionKey;
  mapping: MappingOptions;
  pinOf: (server: string, tool: string) => string | undefined;
  publicUrl: string;
  requestMs: number;
  /** Whether people can sign in here, to decide in a browser. */
  hasPage: boolean;
}

/**
 * Requests for approval of one exact call, from the denial to the decision of a person. That an approval is used once,
 * and for nothing else, is `decideWithConditions`' part.
 */
export class AccessRequestDesk {
  constructor(private readonly options: AccessRequestDeskOptions) {}

  /**
   * Opens a request, or finds the one for this call that is open, approved and not yet used, or denied: a person who
   * said no is not asked the same again until the time of the request is over. The policies are asked again: what they do not want
   * approved cannot be put before anybody, whatever a caller claims to have been denied.
   *
   * @param idempotencyKey repeats find the request that the first one led to, also after it was used or is over
   * @throws OAuthError `invalid_request`; `temporarily_unavailable` when too much waits already
   */
  async submit(
    { evaluation, denial }: z.infer<typeof accessRequestSubmissionSchema>,
    caller: string,
    idempotencyKey?: string,
  ): Promise<{ task: Task; isNew: boolean }> {
    const { records, clock, requestMs } = this.options;
    const { context = {} } = await this.#ask(evaluation);
    const binding = context.access_request?.binding_token;
    if (context.reason !== 'approval_required' || binding === undefined || binding !== denial.binding_token)
      throw new OAuthError('invalid_request', 'the policies ask for no approval of this call');
    const key = idempotencyKey === undefined ? undefined : digestOf({ caller, idempotencyKey });
    const repeated = key === undefined ? undefined : await this.#repeated(key, binding);
    if (repeated !== undefined) return { task: this.#taskOf(repeated), isNew: false };
    const existing = await this.#find(binding, caller);
    if (existing === undefined) await this.#checkPending(evaluation.subject.id);

    const id = existing?.id ?? randomUUID();
    const requestedAtMs = clock.nowMs();
    const obligation = context.obligations?.find(({ type }) => type === 'approval');
    const request: AccessRequest = existing?.value ?? {
      state: 'pending',
      approval: obligation?.properties['approval'] === 'other-human' ? 'other-human' : 'human',
      binding,
      person: evaluation.subject.id,
      actors: actorNames(evaluation, this.options.mapping.ownIssuer),
      requestedBy: caller,
      policies: context.policies ?? [],
      policyVersion: context.policy_version ?? '',
      sealed: await seal(
        this.options.keyEncryptionKey,
        Buffer.from(JSON.stringify(evaluation)),
        sealedFor(id),
      ),
      requestedAtMs,
      expiresAtMs: requestedAtMs + requestMs,
    };
    const written = { expectedVersion: 0, expiresAtMs: request.expiresAtMs + keepMs };
    try {
      await records.transaction(async (transaction) => {
        if (key !== undefined)
          await transaction.put(accessRequestKeys, key, { accessRequest: id, binding }, written);
        if (existing === undefined) await transaction.put(accessRequests, id, request, written);
      });
    } catch (error) {
      // The same key at the same time: the other one was first.
      const first =
        error instanceof RecordConflict && key !== undefined ? await this.#repeated(key, binding) : undefined;
      if (first === undefined) throw error;
      return { task: this.#taskOf(first), isNew: false };
    }
    if (existing === undefined) await this.#audit('approval-request', 'allowed', id, request, caller);
    return { task: this.#taskOf({ id, value: request }), isNew: existing === undefined };
  }

  /**
   * The request that this key has led to before.
   *
   * @throws OAuthError `invalid_request` when it was for another call
   * @see draft-ietf-httpapi-idempotency-key-header §2.7
   */
  async #repeated(key: string, binding: string): Promise<StoredRecord<AccessRequest> | undefined> {
    const { records } = this.options;
    const known = await records.get(accessRequestKeys, key);
    if (known === undefined) return undefined;
    if (known.value.binding !== binding)
      throw new OAuthError('invalid_request', 'the idempotency key was used for another call', {
        status: 422,
      });
    return records.get(accessRequests, known.value.accessRequest);
  }

  /** Where a request stands. For the client that made it; others are told that there is none. */
  async status(id: string, caller: string): Promise<Task | undefined> {
    const found = await this.options.records.get(accessRequests, id);
    return found?.value.requestedBy === caller ? this.#taskOf(found) : undefined;
  }

  /** What waits for this person, or for anybody when they administer. */
  async waitingFor(approver: Approver): Promise<{ id: string; request: Omit<AccessRequest, 'sealed'> }[]> {
    const where = { state: 'pending', ...(!approver.isAdministrator && { person: approver.sub }) };
    const found = await this.options.records.list(accessRequests, { where });
    return found
      .filter(({ value }) => value.expiresAtMs > this.options.clock.nowMs())
      .map(({ id, value }) => ({ id, request: withoutSealed(value) }));
  }

  /** A request with the call it is about, arguments and all: nobody should approve what they cannot see. */
  async show(
    id: string,
    approver: Approver,
  ): Promise<{ request: Omit<AccessRequest, 'sealed'>; evaluation: Evaluation } | undefined> {
    const found = await this.options.records.get(accessRequests, id);
    if (found === undefined || (!approver.isAdministrator && found.value.person !== approver.sub))
      return undefined;
    // An agent that could read requests could learn what other agents of the person do.
    if (approver.isDelegated) return undefined;
    const text = Buffer.from(
      await open(this.options.keyEncryptionKey, found.value.sealed, sealedFor(id)),
    ).toString('utf8');
    return { request: withoutSealed(found.value), evaluation: evaluationSchema.parse(JSON.parse(text)) };
  }

  /** @throws OAuthError */
  async decide(
    id: string,
    decision: { approve: boolean; note?: string | undefined },
    approver: Approver,
  ): Promise<Task> {
    const { records, clock } = this.options;
    try {
      const decided = await decideAccessRequest(records, id, decision, approver, clock.nowMs());
      await this.#audit('approval', decision.approve ? 'allowed' : 'refused', id, decided, approver.clientId);
      return this.#taskOf({ id, value: decided });
    } catch (error) {
      if (!(error instanceof ApprovalRefused)) throw error;
      await this.options.audit.append({
        type: 'approval-attempt',
        outcome: 'refused',
        occurredAtMs: clock.nowMs(),
        person: approver.sub,
        client: approver.clientId,
        details: { accessRequest: id, reason: error.reason, approve: decision.approve },
      });
      throw asOAuthError(error);
    }
  }

  async #find(binding: string, caller: string): Promise<StoredRecord<AccessRequest> | undefined> {
    const { records, clock } = this.options;
    for (const state of ['approved', 'pending', 'denied'] as const) {
      const kept = await records.list(accessRequests, { where: { binding, state } });
      const found = kept.find(
        ({ value }) => value.requestedBy === caller && value.expiresAtMs > clock.nowMs(),
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #checkPending(person: string): Promise<void> {
    const { records, clock } = this.options;
    const kept = await records.list(accessRequests, { where: { person, state: 'pending' } });
    if (kept.filter(({ value }) => value.expiresAtMs > clock.nowMs()).length < maxPendingPerPerson) return;
    throw new OAuthError('temporarily_unavailable', 'too many requests wait for a decision', {
      status: 429,
      retryAfterSeconds: 60,
    });
  }

  /** Without an approval and with every budget open, so that nothing is spent by asking. */
  #ask(evaluation: Evaluation) {
    const { engine, mapping, pinOf, clock } = this.options;
    const { approval: _, preview: _1, ...context } = evaluation.context ?? {};
    return decideWithConditions(
      { ...evaluation, context },
      {
        ...mapping,
        engine,
        pinOf,
        nowMs: clock.nowMs(),
        newId: randomUUID,
        budgets: { fits: async () => true, spend: async () => true },
        approvals: { isUsable: async () => false, use: async () => false },
      },
    );
  }

  #taskOf({ id, value }: Pick<StoredRecord<AccessRequest>, 'id' | 'value'>): Task {
    const isOver = value.state !== 'denied' && value.expiresAtMs <= this.options.clock.nowMs();
    const status = isOver ? 'expired' : value.state === 'used' ? 'approved' : value.state;
    const { publicUrl } = this.options;
    return {
      task: {
        id,
        status,
        status_endpoint: `${publicUrl}/access/v1/access-request/${id}`,
        ...(this.options.hasPage && { form_url: `${publicUrl}/approvals/${id}` }),
        expires_at: new Date(value.expiresAtMs).toISOString(),
      },
    };
  }

  async #audit(
    type: string,
    outcome: 'allowed' | 'refused',
    id: string,
    request: AccessRequest,
    client: string,
  ): Promise<void> {
    const { audit, clock } = this.options;
    const { person, actors, binding, policies, decidedBy } = request;
    const details = { accessRequest: id, binding, policies, ...(decidedBy !== undefined && { decidedBy }) };
    await audit.append({ type, outcome, occurredAtMs: clock.nowMs(), person, actors, client, details });
  }
}

function sealedFor(id: string): Record<string, string> {
  return { kind: 'access-request', id };
}

function withoutSealed(request: AccessRequest): Omit<AccessRequest, 'sealed'> {
  const { sealed: _, ...shown } = request;
  return shown;
}

function asOAuthError(refused: ApprovalRefused): OAuthError {
  const cause = refused;
  switch (refused.reason) {
    case 'not_found':
      return new OAuthError('invalid_request', 'there is no such request', { status: 404, cause });
    case 'not_pending':
      return new OAuthError('invalid_request', 'the request has been decided', { status: 409, cause });
    case 'not_a_person':
      return new OAuthError('insufficient_scope', 'only a person can approve, and no agent for one', {
        cause,
      });
    case 'not_yours':
      return new OAuthError('insufficient_scope', 'the request is about another person', { cause });
    case 'must_be_another':
      return new OAuthError('insufficient_scope', 'somebody else has to approve', { cause });
  }
}
