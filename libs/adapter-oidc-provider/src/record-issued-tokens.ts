import { OAuthError } from '@behalf/oauth';
import { activeTraceId } from '@behalf/telemetry';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { ProviderDependencies } from './dependencies.js';

/**
 * What a person's client gets by a code, or by refreshing, is recorded before the answer leaves: what cannot be recorded
 * is answered `temporarily_unavailable` (503). What was presented for it is used up all the same.
 */
export function recordIssuedTokens(provider: Provider, deps: ProviderDependencies): void {
  const recording = new WeakMap<object, Promise<void>>();
  provider.on('grant.success', (ctx: KoaContextWithOIDC) => {
    const issued = issuedToken(ctx);
    if (!issued) return;
    const recorded = deps.audit(issued);
    // Waited for below, a few steps later.
    recorded.catch(() => {});
    recording.set(ctx, recorded);
  });
  provider.use(async (ctx, next) => {
    await next();
    try {
      await recording.get(ctx);
    } catch (cause) {
      deps.onServerError(cause);
      const refusal = new OAuthError('temporarily_unavailable', 'the token could not be recorded', {
        cause,
        retryAfterSeconds: 2,
      });
      ctx.set('Retry-After', String(refusal.retryAfterSeconds));
      ctx.status = refusal.status;
      ctx.body = refusal.toJSON();
    }
  });
}

/** Other grants record by themselves. */
function issuedToken({ oidc }: KoaContextWithOIDC): Parameters<ProviderDependencies['audit']>[0] | undefined {
  const { AccessToken: token } = oidc.entities;
  const grantType = oidc.params?.['grant_type'];
  if (!token || (grantType !== 'authorization_code' && grantType !== 'refresh_token')) return undefined;
  const { clientId: client, accountId: person, resourceServer, scope, grantId } = token;
  const traceId = activeTraceId();
  return {
    type: 'token',
    outcome: 'allowed',
    ...(client !== undefined && { client }),
    ...(person !== undefined && { person }),
    ...(traceId !== undefined && { traceId }),
    details: {
      grant_type: grantType,
      ...(resourceServer && { audience: String(resourceServer.audience) }),
      ...(scope !== undefined && { scope }),
      ...(grantId !== undefined && { grant_id: grantId }),
    },
  };
}
