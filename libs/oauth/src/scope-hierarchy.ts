/** The scopes that a scope gives as well, as a provider documents them. A scope that is not named stands for itself. */
export type ScopeHierarchy = Readonly<Record<string, readonly string[]>>;

/**
 * True when everything wanted is held, itself or by something that gives it as well.
 *
 * @see MCP 2026-07-28, basic/authorization, "Scope Challenge Handling"
 */
export function coversScopes(
  held: Iterable<string>,
  wanted: Iterable<string>,
  hierarchy: ScopeHierarchy = {},
): boolean {
  // A set that is walked while it grows: what is implied implies in turn, and circles end.
  const all = new Set(held);
  const gives = new Map(Object.entries(hierarchy));
  for (const scope of all) gives.get(scope)?.forEach((implied) => all.add(implied));
  return [...wanted].every((scope) => all.has(scope));
}

/** The same authority with nothing said twice: without what others of these give as well. */
export function leastScopes(scopes: Iterable<string>, hierarchy: ScopeHierarchy = {}): string[] {
  let kept = [...new Set(scopes)];
  for (const scope of kept) {
    const others = kept.filter((other) => other !== scope);
    if (coversScopes(others, [scope], hierarchy)) kept = others;
  }
  return kept;
}
