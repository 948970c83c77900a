import { OAuthError } from '@behalf/oauth';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';

/** Throws an OAuthError as oidc-provider's error handler wants it, with its own status and `Retry-After`. */
export function throwToLibrary(ctx: KoaContextWithOIDC, error: unknown): never {
  if (!(error instanceof OAuthError)) throw error;
  if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
  const { error: code, error_description: description } = error.toJSON();
  const cause = error.cause instanceof Error ? { cause: error.cause } : undefined;
  const thrown = new errors.CustomOIDCProviderError(code, description, cause);
  const { status, parameters } = error;
  throw Object.assign(thrown, { status, statusCode: status, parameters });
}

/** Further members that an OAuthError has for its answer: the library knows of none. */
export function answerParameters(error: unknown): Readonly<Record<string, string | number>> {
  return (error as { parameters?: Record<string, string | number> }).parameters ?? {};
}
