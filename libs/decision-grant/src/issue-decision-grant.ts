import { type ActClaim, nestActor } from '@behalf/oauth';
import type { Signer } from '@behalf/ports';
import {
  type DecisionGrant,
  decisionGrantSchema,
  decisionGrantType,
  maxGrantSeconds,
} from './decision-grant.js';

/** What was permitted, in the words of the decision itself and of nobody who came with it. */
export interface PermittedUse {
  readonly person: string;
  /** The act chain, the current actor first. */
  readonly actors: readonly Omit<ActClaim, 'act'>[];
  readonly clientId: string;
  readonly tenant: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly decisionId: string;
}

export interface IssueDecisionGrantOptions {
  readonly signer: Signer;
  /** The policy service. */
  readonly issuer: string;
  /** The vault. */
  readonly audience: string;
  readonly nowSeconds: number;
  readonly lifetimeSeconds: number;
  readonly newId: () => string;
}

/** Signs one permitted use. To be called with a permission only; it does not decide. */
export async function issueDecisionGrant(
  use: PermittedUse,
  { signer, issuer, audience, nowSeconds, lifetimeSeconds, newId }: IssueDecisionGrantOptions,
): Promise<string> {
  const grant: DecisionGrant = {
    iss: issuer,
    aud: audience,
    sub: use.person,
    act: chainOf(use.actors),
    client_id: use.clientId,
    tenant: use.tenant,
    resource: use.resource,
    scope: use.scopes.join(' '),
    decision_id: use.decisionId,
    jti: newId(),
    iat: nowSeconds,
    exp: nowSeconds + Math.min(lifetimeSeconds, maxGrantSeconds),
  };
  return signer.sign({ ...decisionGrantSchema.parse(grant) }, { typ: decisionGrantType });
}

function chainOf(actors: PermittedUse['actors']): ActClaim | undefined {
  return actors.reduceRight<ActClaim | undefined>((earlier, actor) => nestActor(actor, earlier), undefined);
}
