import type { ScopeSet } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import { tiesOf } from './issued-token-claims.js';
import type { TransactionContext } from './parse-transaction-context.js';
import type { SubjectToken, TransactionTokenClaims } from './ports.js';

/**
 * Builds the claims of a transaction token. `sub` stays the person and `act` the chain as it is: the workload that asks
 * is named in `req_wl`, it does not become an actor. A token that takes another's place keeps all of what that one says
 * of the transaction, and names its requester in the call chain.
 *
 * There is no `cnf`: it is no credential, no resource takes it as an access token (`typ`), and workloads forward it as it
 * is. Whoever asks for one with a sender-constrained token has proved the key of that.
 *
 * @throws ExchangeRefusal when a replacement would change what the transaction is about
 * @see draft-ietf-oauth-transaction-tokens §5.2, "Replacement"
 */
export function transactionTokenClaims(parts: {
  issuer: string;
  subject: SubjectToken;
  clientId: string;
  trustDomain: string;
  scope: ScopeSet;
  transaction: TransactionContext;
  nowSeconds: number;
  exp: number;
  jti: string;
  lineage: string[];
}): TransactionTokenClaims & { iat: number } {
  const { subject, transaction, clientId } = parts;
  const { intent, ...details } = transaction.details;
  const { claims } = subject;
  const replaced = subject.kind === 'transaction_token' ? subject.claims : undefined;
  const agent = claims.act?.sub ?? claims.client_id;
  const agentic = replaced?.agentic_ctx ?? { agent };
  const callChain = replaced ? [...replaced.rctx.call_chain, replaced.req_wl] : [];
  return {
    iss: parts.issuer,
    sub: claims.sub,
    aud: parts.trustDomain,
    client_id: clientId,
    req_wl: clientId,
    scope: parts.scope.toString(),
    ...(claims.act !== undefined && { act: claims.act }),
    iat: parts.nowSeconds,
    exp: parts.exp,
    jti: parts.jti,
    tctx: added(replaced?.tctx, details),
    rctx: { ...added(replaced && withoutChain(replaced.rctx), transaction.context), call_chain: callChain },
    agentic_ctx: added(agentic, { intent }),
    ...tiesOf(claims, parts.lineage, []),
  };
}

/** What was there, and what comes new to it. @throws ExchangeRefusal when something there would read otherwise */
function added(
  known: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const all: Record<string, string> = { ...known };
  for (const [name, value] of Object.entries(more)) {
    if (value === undefined) continue;
    if (all[name] !== undefined && all[name] !== value)
      throw new ExchangeRefusal({ kind: 'transaction_changed' });
    all[name] = value;
  }
  return all;
}

function withoutChain({
  call_chain: _chain,
  ...rest
}: TransactionTokenClaims['rctx']): Record<string, string> {
  return rest as Record<string, string>;
}
