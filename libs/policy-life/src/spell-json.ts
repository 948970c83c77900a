/** One text for one JSON form of a policy, whose integers beyond 2^53 are bigints. */
export function spellJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member));
}
