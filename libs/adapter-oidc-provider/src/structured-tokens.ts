import { OAuthError } from '@behalf/oauth';
import type { AccessTokenClaims } from '@behalf/resource-server';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { ProviderDependencies } from './dependencies.js';
import { readOwnAccessToken } from './read-own-access-token.js';
import { revocationLifetimeSeconds, writeRevocation } from './revocation-records.js';
import { transact } from './transact.js';

/**
 * Introspection and revocation of JWT access tokens. oidc-provider authenticates the client and then refuses structured
 * tokens; that refusal is our cue, so that client authentication stays the library's.
 *
 * @see RFC 7662, RFC 7009
 */
export function answerStructuredTokens(provider: Provider, deps: ProviderDependencies): void {
  const refused = new WeakSet<object>();
  const note = (ctx: KoaContextWithOIDC, error: unknown): void => {
    if (error instanceof errors.UnsupportedTokenType) refused.add(ctx.req);
  };
  provider.on('introspection.error', note);
  provider.on('revocation.error', note);
  provider.use(async (ctx, next) => {
    await next();
    if (!refused.has(ctx.req)) return;
    const { oidc } = ctx as unknown as KoaContextWithOIDC;
    const token = String(oidc.params?.['token']);
    const clientId = oidc.client?.clientId ?? '';
    ctx.status = 200;
    ctx.set('Cache-Control', 'no-store');
    if (oidc.route === 'introspection') {
      ctx.body = await introspect(token, clientId, deps);
    } else {
      ctx.body = '';
      await revoke(token, clientId, deps);
    }
  });
}

/**
 * Tells the token's client, and the programs that serve its resource, what it says. Anybody else learns nothing, not
 * even that it exists (RFC 7662 §2.2, §4).
 */
async function introspect(
  token: string,
  clientId: string,
  deps: ProviderDependencies,
): Promise<Record<string, unknown>> {
  const claims = await readIfValid(token, deps);
  const isVisible =
    claims && (claims.client_id === clientId || deps.resources.isServedBy(claims.aud, clientId));
  if (!isVisible) return { active: false };
  // RFC 9449 §6.2, RFC 7662 §2.2: what it has to be presented as.
  return { ...claims, active: true, token_type: claims.cnf?.['jkt'] === undefined ? 'Bearer' : 'DPoP' };
}

/** Only its own client can revoke a token. For unknown tokens and others' nothing happens, and it looks the same. */
async function revoke(token: string, clientId: string, deps: ProviderDependencies): Promise<void> {
  const claims = await readIfValid(token, deps);
  if (claims?.client_id !== clientId) return;
  const when = { nowMs: deps.clock.nowMs(), lifetimeSeconds: revocationLifetimeSeconds(deps.config) };
  await transact(deps.records, async (transaction) => {
    await writeRevocation(transaction, { kind: 'token', id: claims.jti }, when);
    // What was exchanged from it carries its `txn` and dies with it.
    if (claims.txn === claims.jti) {
      await writeRevocation(transaction, { kind: 'transaction', id: claims.jti }, when);
    }
  });
  await deps.audit({ type: 'revocation', outcome: 'allowed', client: clientId, details: { kind: 'token' } });
}

async function readIfValid(
  token: string,
  deps: ProviderDependencies,
): Promise<AccessTokenClaims | undefined> {
  try {
    return await readOwnAccessToken(token, { ...deps, issuer: deps.config.authorizationServer.issuer });
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_token') return undefined;
    throw error;
  }
}
