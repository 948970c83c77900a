import type { OAuthError } from '@behalf/oauth';
import { dpopAlgorithms } from './verify-dpop-proof.js';

export interface ChallengeOptions {
  resourceMetadata: string;
  /** Everything the request needs, held or not: clients ask for exactly this. Left out when it is not known. */
  scope: string | undefined;
  /** Left out when no token was presented at all (RFC 6750 §3.1). */
  error?: OAuthError | undefined;
}

/**
 * The value of `WWW-Authenticate`. `Bearer` comes first and alone: some clients read only the first scheme.
 *
 * @see RFC 6750 §3, RFC 9728 §5.1
 */
export function bearerChallenge(options: ChallengeOptions): string {
  return `Bearer ${parameters(options)}`;
}

/**
 * The same for who has presented a DPoP token, or has to.
 *
 * @see RFC 9449 §7.1
 */
export function dpopChallenge(options: ChallengeOptions): string {
  return `DPoP ${parameters(options)}, algs="${dpopAlgorithms.join(' ')}"`;
}

function parameters({ resourceMetadata, scope, error }: ChallengeOptions): string {
  const described = error && error.toJSON();
  const all = [
    ...(described
      ? [
          ['error', described.error],
          ['error_description', described.error_description],
        ]
      : []),
    ...(scope === undefined ? [] : [['scope', scope]]),
    ['resource_metadata', resourceMetadata],
  ];
  return all.map(([name, value]) => `${name}="${value}"`).join(', ');
}
