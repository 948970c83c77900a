import { ScopeSet } from '@behalf/oauth';
import type { ExchangeTrace } from './exchange-trace.js';

/** One of the sets whose intersection is the scope. */
export interface ScopeTerm {
  /** `subject token`, `ceiling`, `target <resource>`, `delegation grant <id>`, `request`. */
  term: string;
  scopes: string[];
}

export interface ScopeExplanation {
  terms: ScopeTerm[];
  /** What is in all of them. */
  left: string[];
  /** What is in one of them and not in all, with those that lack it. */
  removed: { scope: string; by: string[] }[];
}

/** Which term of the intersection removed which scope; undefined when it did not come to that. */
export function explainScope({
  scopeBounds,
  requestedScope,
  audiences = [],
  delegations = [],
}: ExchangeTrace): ScopeExplanation | undefined {
  if (!scopeBounds) return undefined;
  const { subject, ceiling, targets } = scopeBounds;
  const terms: ScopeTerm[] = [
    ...(subject === undefined ? [] : [{ term: 'subject token', scopes: [...subject] }]),
    { term: 'ceiling', scopes: [...ceiling] },
    ...targets.map((scopes, index) => ({ term: `target ${audiences[index]}`, scopes: [...scopes] })),
    ...delegations.map(({ grant }) => ({ term: `delegation grant ${grant.id}`, scopes: [...grant.scopes] })),
    // As it came: what is wrong with its characters is what the refusal says.
    ...(requestedScope === undefined
      ? []
      : [{ term: 'request', scopes: requestedScope.split(' ').filter((value) => value !== '') }]),
  ];
  const all = new ScopeSet(terms.flatMap(({ scopes }) => scopes));
  const left = terms.reduce((scope, term) => scope.intersect(term.scopes), all);
  const removed = [...all.without(left)].map((scope) => ({
    scope,
    by: terms.filter(({ scopes }) => !scopes.includes(scope)).map(({ term }) => term),
  }));
  return { terms, left: [...left], removed };
}
