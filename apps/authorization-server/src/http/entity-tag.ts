import { OAuthError } from '@behalf/oauth';

/** The version of a record as a strong entity tag. @see RFC 9110 §8.8.3 */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/**
 * The version that `If-Match` names; undefined when there is no such header or it is `*`.
 *
 * @throws OAuthError `invalid_request`, 412 for anything that no version of ours ever was
 * @see RFC 9110 §13.1.1
 */
export function readIfMatch(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const version = /^"([1-9]\d{0,14})"$/.exec(header.trim())?.[1];
  if (version === undefined)
    throw new OAuthError('invalid_request', 'If-Match names no version', { status: 412 });
  return Number(version);
}
