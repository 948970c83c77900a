import type { AuditLog, AuditRecord } from '@behalf/audit';
import { forwardScope } from '@behalf/config';
import type { ElicitationOffer } from '@behalf/contracts';
import { OAuthError, actorNames } from '@behalf/oauth';
import type { Bus, Clock } from '@behalf/ports';
import type { AccessTokenClaims } from '@behalf/resource-server';
import {
  type ForwardMethod,
  ForwardRefused,
  type Forwarding,
  type MatchedRule,
  type ForwardTarget,
  type Provider,
  findForwardRule,
  parseForwardTarget,
} from '@behalf/third-party';
import type { OpenedCredential } from '@behalf/vault';
import type { ElicitationDesk } from '../elicitation-desk.js';
import { askPermission } from './ask-permission.js';
import type { ChainDirectory } from './chain-directory.js';

export type ForwardingProvider = Provider & { readonly forwarding: Forwarding };

/** A call that is on the list. */
export interface AllowedCall {
  provider: ForwardingProvider;
  method: ForwardMethod;
  target: ForwardTarget;
  matched: MatchedRule;
  /** What the caller's token has to carry. */
  neededScopes: readonly string[];
}

export interface ForwardDeskPorts {
  desk: ElicitationDesk;
  chains: ChainDirectory;
  bus: Bus;
  audit: Pick<AuditLog, 'append'>;
  clock: Clock;
}

/**
 * Whether a call to a third party's API is made for a person, and with which credential. The list says what can be
 * called at all, the policy what this chain may call for this person, the person whom they lend their account to.
 */
export class ForwardDesk {
  constructor(private readonly ports: ForwardDeskPorts) {}

  /** The call as it would be made. @throws OAuthError `invalid_request`, `access_denied` */
  async find(
    provider: ForwardingProvider,
    method: ForwardMethod,
    target: string,
    claims: AccessTokenClaims,
  ): Promise<AllowedCall> {
    try {
      const parsed = parseForwardTarget(target);
      const matched = findForwardRule(provider.forwarding, method, parsed);
      const { scopes } = matched.rule;
      return {
        provider,
        method,
        target: parsed,
        matched,
        neededScopes: scopes.length === 0 ? [forwardScope] : scopes,
      };
    } catch (error) {
      if (!(error instanceof ForwardRefused)) throw error;
      await this.#append(claims, 'refused', { provider: provider.id, method, reason: error.reason });
      throw error.reason === 'malformed_target'
        ? new OAuthError('invalid_request', 'the address of the call is malformed', { cause: error })
        : new OAuthError('access_denied', 'this call is not on the list', { cause: error });
    }
  }

  /**
   * The credential for one call, which is in the audit log before it leaves.
   *
   * @throws OAuthError `access_denied`, `insufficient_scope`, `interaction_required`, `temporarily_unavailable`
   */
  async open(call: AllowedCall, claims: AccessTokenClaims): Promise<OpenedCredential> {
    const { provider, method, target, matched } = call;
    const details = {
      provider: provider.id,
      method,
      host: target.host,
      call: matched.pattern,
      scopes: [...matched.rule.scopes],
    };
    let decisionId: string | undefined;
    try {
      const { rule } = matched;
      const permission = await askPermission({ claims, provider, rule, method, target }, this.ports.bus);
      ({ decisionId } = permission);
      const credential = await this.#credential(call, claims, permission);
      await this.#append(claims, 'allowed', details, decisionId);
      return credential;
    } catch (error) {
      const reason = error instanceof OAuthError ? error.code : 'failed';
      // Refused either way: a full disk must not turn the reason into another one.
      await this.#append(claims, 'refused', { ...details, reason }, decisionId).catch(() => {});
      throw error;
    }
  }

  async #credential(
    { provider, matched }: AllowedCall,
    claims: AccessTokenClaims,
    permission: Awaited<ReturnType<typeof askPermission>>,
  ): Promise<OpenedCredential> {
    const actors = namesOf(claims);
    const { desk, chains, clock } = this.ports;
    const found = await desk.obtainForCall({
      person: claims.sub,
      actors,
      ...(await chains.describe(claims, actors)),
      resource: provider.resources[0],
      scopes: [...matched.rule.scopes],
      ...permission,
      sid: claims.sid,
      grantId: claims.grant_id,
      txn: claims.txn ?? claims.jti,
      waitSeconds: 0,
    });
    if ('credential' in found) return found.credential;
    throw interactionRequired(found.offer, clock.nowMs());
  }

  #append(
    { sub, client_id: client, txn, ...claims }: AccessTokenClaims,
    outcome: AuditRecord['outcome'],
    details: NonNullable<AuditRecord['details']>,
    decisionId?: string,
  ): Promise<void> {
    return this.ports.audit.append({
      type: 'third-party-call',
      outcome,
      occurredAtMs: this.ports.clock.nowMs(),
      person: sub,
      client,
      actors: namesOf({ act: claims.act, client_id: client }),
      ...(decisionId !== undefined && { decisionId }),
      details: { ...details, ...(txn !== undefined && { txn }) },
    });
  }
}

/** Who acts, by name: the chain, or the client where a person uses it by themselves. */
function namesOf({ act, client_id: clientId }: Pick<AccessTokenClaims, 'act' | 'client_id'>): string[] {
  return act === undefined ? [clientId] : actorNames(act);
}

/** The members that the exchange of a token answers with in the same case; here it is a call that is refused. */
function interactionRequired(offer: ElicitationOffer, nowMs: number): OAuthError {
  return new OAuthError('interaction_required', 'the person has to agree to this first', {
    status: 403,
    parameters: {
      interaction_uri: offer.url,
      interaction_message: offer.message,
      expires_in: Math.max(0, Math.floor((offer.expiresAtMs - nowMs) / 1000)),
      interval: offer.pollIntervalSeconds,
      elicitation_id: offer.id,
      elicitation_uri: offer.pollUrl,
    },
  });
}
