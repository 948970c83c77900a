import type { PolicyJson } from '@behalf/policy';

/** What every request has, see `buildCedarRequest`. */
const alwaysThere = new Set([
  'context.actors',
  'context.depth',
  'context.scope',
  'context.aud',
  'context.arguments',
  'context.now',
  'resource.name',
  'resource.uri',
]);

/**
 * The attributes that a policy reads and nowhere asks for with `has`. The bundle's schema may call them required, but
 * requests are not held to it: a caller can leave them out.
 *
 * Does not look whether the question comes before the reading; Cedar's validation does, for optional attributes.
 */
export function unguardedAttributes({ conditions }: PolicyJson): string[] {
  const read = new Set<string>();
  const asked = new Set<string>();
  for (const { body } of conditions) collect(body, read, asked);
  return [...read].filter((path) => !asked.has(path) && !alwaysThere.has(path)).sort();
}

function collect(node: unknown, read: Set<string>, asked: Set<string>): void {
  if (Array.isArray(node)) return node.forEach((item) => collect(item, read, asked));
  if (typeof node !== 'object' || node === null) return;
  const path = pathOf(node);
  if (path?.includes('.')) read.add(path);
  const has = (node as Record<string, unknown>)['has'];
  if (isAttribute(has)) {
    const of = pathOf(has.left);
    if (of !== undefined) asked.add(`${of}.${has.attr}`);
  }
  for (const child of Object.values(node)) collect(child, read, asked);
}

/** `context.arguments.path` of an attribute of an attribute of a variable; undefined of anything else. */
function pathOf(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const { Var: variable, '.': access } = node as Record<string, unknown>;
  if (typeof variable === 'string') return variable;
  if (!isAttribute(access)) return undefined;
  const of = pathOf(access.left);
  return of === undefined ? undefined : `${of}.${access.attr}`;
}

function isAttribute(value: unknown): value is { left: unknown; attr: string } {
  return typeof value === 'object' && value !== null && 'left' in value && 'attr' in value;
}
