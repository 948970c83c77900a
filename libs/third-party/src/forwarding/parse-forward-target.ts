import { ForwardRefused } from './forward-refused.js';

/** What is called, in one spelling: what was matched, what policy was asked about and what is sent are the same. */
export interface ForwardTarget {
  /** Host and port as the caller wrote them. */
  readonly host: string;
  /** Decoded. None holds a slash, and none is empty but the last one, where the path ends with a slash. */
  readonly segments: readonly string[];
  /** With its question mark; empty without one. */
  readonly query: string;
}

const maxTargetChars = 8_192;
/** RFC 3986 §3.3 without `;`: what stands behind one is a parameter to some servers, and part of the name to others. */
const pathCharacters = /^(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*$/;
const queryCharacters = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?[\]|]|%[0-9A-Fa-f]{2})*$/;
/** Says which method is meant to servers that look for it, whatever the request line says. */
const methodOverride = /^(?:_method|x-http-method(?:-override)?)$/i;

/**
 * Reads `<host>/<path>?<query>`, as it came and before anybody normalised it. Whatever two programs could read in two
 * ways is refused: dot segments, empty ones, encoded slashes, backslashes, a percent sign that is encoded itself, an
 * authority with more in it than host and port.
 *
 * Does not look at whether anything of it may be called.
 *
 * @throws ForwardRefused `malformed_target`
 */
export function parseForwardTarget(text: string): ForwardTarget {
  const [whole = '', ...queries] = text.split('?');
  const [host = '', ...rawSegments] = whole.split('/');
  const query = queries.length === 0 ? '' : `?${queries.join('?')}`;
  const isSound =
    text.length <= maxTargetChars &&
    /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/.test(host) &&
    rawSegments.length > 0 &&
    pathCharacters.test(rawSegments.join('/')) &&
    queryCharacters.test(query.slice(1)) &&
    ![...new URLSearchParams(query).keys()].some((name) => methodOverride.test(name));
  if (!isSound) throw new ForwardRefused('malformed_target');
  const segments = rawSegments.map((segment, at) => decode(segment, at === rawSegments.length - 1));
  return { host, segments, query };
}

/** The path as it is sent: every character that may stand there for itself does, and every other one is encoded. */
export function encodePath(segments: readonly string[]): string {
  const encoded = segments.map((segment) =>
    encodeURIComponent(segment).replace(/%(?:24|26|2B|2C|3A|3D|40)/g, (code) => decodeURIComponent(code)),
  );
  return `/${encoded.join('/')}`;
}

function decode(raw: string, isLast: boolean): string {
  let segment: string;
  try {
    segment = decodeURIComponent(raw);
  } catch (cause) {
    throw new ForwardRefused('malformed_target', { cause });
  }
  const isAmbiguous =
    (segment === '' && !isLast) || /^\.{1,2}$/.test(segment) || /[/\\%;\p{Cc}\p{Cf}]/u.test(segment);
  if (isAmbiguous) throw new ForwardRefused('malformed_target');
  return segment;
}
