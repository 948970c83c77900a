import { ForwardRefused } from './forward-refused.js';
import { findForwardRule } from './find-forward-rule.js';
import type { Forwarding } from './forwarding.js';
import { encodePath, parseForwardTarget } from './parse-forward-target.js';

/**
 * Where an answer sends the caller, as an address of ours: whoever goes there is asked about again, and only our token
 * goes along. Undefined when it is nowhere that may be called: then the caller is not told, for it may hold a secret.
 *
 * @param base what stands before the host, as `https://behalf.example/forward/github`
 * @param from what was called
 */
export function forwardedLocation(
  location: string,
  { base, from, method }: { base: string; from: string; method: string },
  forwarding: Pick<Forwarding, 'rules'>,
): string | undefined {
  const url = URL.parse(location, from);
  if (!url || url.username !== '' || url.password !== '') return undefined;
  try {
    const target = parseForwardTarget(`${url.host}${url.pathname}${url.search}`);
    const { rule } = findForwardRule(forwarding, method, target);
    if (rule.origin !== url.origin) return undefined;
    return `${base}/${target.host}${encodePath(target.segments)}${target.query}`;
  } catch (error) {
    if (error instanceof ForwardRefused) return undefined;
    throw error;
  }
}
