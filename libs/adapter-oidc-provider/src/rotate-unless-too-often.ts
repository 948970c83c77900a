import { OAuthError } from '@behalf/oauth';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ProviderDependencies } from './dependencies.js';
import { throwToLibrary } from './throw-to-library.js';

/** Always rotates. Some clients refresh in a hot loop; this is the last step before anything is written. */
export async function rotateUnlessTooOften(
  ctx: KoaContextWithOIDC,
  { tryRefresh }: ProviderDependencies,
): Promise<true> {
  const waitSeconds = await tryRefresh(ctx.oidc.entities.RefreshToken?.grantId ?? '');
  if (waitSeconds === undefined) return true;
  const error = new OAuthError('temporarily_unavailable', 'too many refreshes', {
    status: 429,
    retryAfterSeconds: waitSeconds,
  });
  return throwToLibrary(ctx, error);
}
