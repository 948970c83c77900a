import { type ActClaim, isProvenBy, OAuthError } from '@behalf/oauth';
import type { Progress } from './audit-record.js';
import { type IdJagClaims, idJagClaimsSchema } from './id-jag-claims.js';
import { IdJagRefusal, undecided } from './id-jag-refusal.js';
import type { RedeemDependencies, RedeemRequest } from './redeem-ports.js';

/**
 * Verifies that an assertion is of an issuer that is trusted for this, made out to us and to this client, and presented
 * with the key that it is bound to, if it is. Does not check whether it was used before.
 *
 * @throws IdJagRefusal
 */
export async function verifyAssertion(
  { client, assertion, proof }: RedeemRequest,
  deps: RedeemDependencies,
  progress: Progress,
): Promise<{ claims: IdJagClaims; issuedAtMs: number }> {
  if (assertion === undefined) throw new IdJagRefusal({ kind: 'assertion_missing' });
  const trusted = deps.findIssuer(assertion);
  if (!trusted) throw new IdJagRefusal({ kind: 'issuer_unknown' });
  progress.issuer = trusted.issuer;
  // Before anything is fetched: nobody else makes us ask an issuer for its keys.
  if (trusted.clients && !trusted.clients.includes(client.clientId))
    throw new IdJagRefusal({ kind: 'client_not_allowed' });
  const verified = await deps.verify(assertion, trusted).catch((cause: unknown) => {
    if (cause instanceof OAuthError && cause.code === 'invalid_token')
      throw new IdJagRefusal({ kind: 'assertion_invalid', cause });
    return undecided(cause);
  });
  const parsed = idJagClaimsSchema.safeParse(verified.claims);
  if (!parsed.success) throw new IdJagRefusal({ kind: 'assertion_invalid', cause: parsed.error });
  const claims = parsed.data;
  // The confused deputy: one client's assertion, redeemed by another.
  if (claims.client_id !== client.clientId) throw new IdJagRefusal({ kind: 'assertion_for_other_client' });
  if (trusted.tenant !== undefined && claims.tenant !== trusted.tenant)
    throw new IdJagRefusal({ kind: 'tenant_mismatch' });
  if (claims.cnf && !isProvenBy(claims.cnf, proof)) throw new IdJagRefusal({ kind: 'key_unproven' });
  return { claims, issuedAtMs: verified.issuedAtMs };
}

/** @throws IdJagRefusal */
export function qualifyChain({ act, iss }: IdJagClaims, { qualifyActors }: RedeemDependencies): ActClaim {
  try {
    return qualifyActors(act, iss);
  } catch (cause) {
    throw new IdJagRefusal({ kind: 'actors_unacceptable', cause });
  }
}
