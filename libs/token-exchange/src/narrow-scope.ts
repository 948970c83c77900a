import { ScopeSet, parseScope } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';

export interface ScopeBounds {
  /** What the subject token carries; undefined for one that says who somebody is, not what may be done for them. */
  subject: Iterable<string> | undefined;
  /** What the client may carry at all; empty denies all. */
  ceiling: Iterable<string>;
  /** What each target knows: the token will be good at all of them. */
  targets: readonly Iterable<string>[];
}

/**
 * The scope of the issued token: everything in all bounds, or what was asked for, if that is in all of them.
 *
 * @throws ExchangeRefusal when more was asked for, or nothing is left
 * @see RFC 8693 §2.1 `scope`
 */
export function narrowScope(requested: string | undefined, bounds: ScopeBounds): ScopeSet {
  const known = bounds.targets.reduce<ScopeSet>(
    (scope, target) => scope.intersect(target),
    new ScopeSet(bounds.ceiling),
  );
  const authority = bounds.subject === undefined ? known : new ScopeSet(bounds.subject).intersect(known);
  const asked = requested === undefined ? authority : parseRequested(requested);
  if (!asked.isSubsetOf(authority)) throw new ExchangeRefusal({ kind: 'scope_beyond_authority' });
  if (asked.size === 0) throw new ExchangeRefusal({ kind: 'no_scope_left' });
  return asked;
}

function parseRequested(requested: string): ScopeSet {
  try {
    return parseScope(requested);
  } catch {
    throw new ExchangeRefusal({ kind: 'scope_malformed' });
  }
}
