import { OAuthError } from '@behalf/oauth';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';

/** Throws an OAuthError as oidc-provider's error handler wants it, with its own status and `Retry-After`. */
export function throwToLibrary(ctx: KoaContextWithOIDC, error: unknown): never {
  if (!(error instanceof OAuthError)) throw error;
  if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
  const { error: code, error_description: description } = error.toJSON();
  const cause = error.cause instanceof Error ? { cause: error.cause } : undefined;
  const thrown = new errors.CustomOIDCProviderError(code, description, cause);
  throw Object.assign(thrown, { status: error.status, statusCode: error.status });
}
