/** Whether two JSON values say the same, in whatever order their objects have their members. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    for (let at = 0; at < one.length; at++) if (!isSameJson(one[at], other[at])) return false;
    return true;
  }
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  for (const name of names) {
    if (!Object.hasOwn(other, name) || !isSameJson(memberOf(one, name), memberOf(other, name))) return false;
  }
  return true;
}

function memberOf(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}
