import {
  endSession,
  revocationLifetimeSeconds,
  revokeGrant as endConsent,
  transact,
  writeRevocation,
} from '@behalf/adapter-oidc-provider';
import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import { type CreateRevocationRequest, createRevocationRequestSchema } from '@behalf/contracts';
import { type DelegationDependencies, DelegationRefusal, revokeGrant } from '@behalf/delegation-grants';
import type { Clock, RecordStore, RecordTransaction } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, CONFIG, RECORD_STORE } from '@behalf/service-kit';
import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { ADMIN_AUTHORIZATION, DELEGATION } from '../tokens.js';
import type { AdminAuthorization } from './admin-authorization.js';
import { readRequest } from './read-request.js';

/**
 * What operators call to end a token, a sign-in, a whole chain or what a person agreed to, by the id that stands in
 * tokens and in the audit log. Agents are suspended and retired instead, which holds for what comes later, too.
 *
 * Does not check that there is such a thing: nobody keeps a list of tokens. Twice is once.
 */
@Controller('revocations')
export class RevocationsController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(ADMIN_AUTHORIZATION) private readonly admins: AdminAuthorization,
    @Inject(DELEGATION) private readonly delegation: DelegationDependencies,
  ) {}

  @Post()
  @HttpCode(200)
  async create(@Req() request: Request): Promise<CreateRevocationRequest> {
    const { client_id: administrator } = await this.admins.check(request);
    const { kind, id } = await readRequest(request, createRevocationRequestSchema);
    const nowMs = this.clock.nowMs();
    request.res?.set('Cache-Control', 'no-store');
    if (kind === 'grant' && (await this.#revokeDelegation(id, administrator, nowMs))) return { kind, id };
    const when = { nowMs, lifetimeSeconds: revocationLifetimeSeconds(this.config) };
    await transact(this.records, async (transaction) => {
      await end(transaction, { kind, id }, when);
      await this.audit.append({
        type: 'revocation',
        outcome: 'allowed',
        occurredAtMs: nowMs,
        client: administrator,
        details: { kind, id },
      });
    });
    return { kind, id };
  }

  /** Of grants both have ids: those of the sign-in are the library's, which know nothing of the others. */
  async #revokeDelegation(id: string, administrator: string, nowMs: number): Promise<boolean> {
    try {
      await revokeGrant({ id }, { by: { administrator }, nowMs }, this.delegation);
      return true;
    } catch (error) {
      if (error instanceof DelegationRefusal && error.reason.kind === 'grant_unknown') return false;
      throw error;
    }
  }
}

function end(
  transaction: RecordTransaction,
  { kind, id }: CreateRevocationRequest,
  when: { nowMs: number; lifetimeSeconds: number },
): Promise<void> {
  switch (kind) {
    case 'grant':
      return endConsent(transaction, id, when);
    case 'session':
      return endSession(transaction, id, when);
    case 'token':
    case 'transaction':
      return writeRevocation(transaction, { kind, id }, when);
  }
}
