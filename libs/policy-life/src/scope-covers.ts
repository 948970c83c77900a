import type { PolicyJson, ScopeJson } from '@behalf/policy';
import type { KnownTool } from './lint-policies.js';

type Head = Pick<PolicyJson, 'principal' | 'action' | 'resource'>;

/** True when every request in the scope of `narrow` is certainly in the scope of `wide`. */
export function coversScope(wide: Head, narrow: Head): boolean {
  return (['principal', 'action', 'resource'] as const).every((part) => covers(wide[part], narrow[part]));
}

function covers(wide: ScopeJson, narrow: ScopeJson): boolean {
  if (wide.op === 'All' || JSON.stringify(wide) === JSON.stringify(narrow)) return true;
  if (wide.op === 'is' && wide.in === undefined) return typeOf(narrow) === wide.entity_type;
  if (wide.op === 'in') {
    const groups = entitiesOf(wide);
    const named = narrow.op === 'is' ? [] : entitiesOf(narrow);
    if (narrow.op === 'is' && narrow.in) return groups.includes(keyOf(narrow.in.entity));
    return named.length > 0 && named.every((one) => groups.includes(one));
  }
  return false;
}

/**
 * Whether a call of a tool can be in the scope of a policy. `maybe` stands for what depends on the person, or on groups
 * that are not known here.
 */
export function mayReachTool(
  { action, resource }: Head,
  { server, name }: KnownTool,
): 'always' | 'maybe' | 'never' {
  const call = keyOf({ type: 'Action', id: 'tools/call' });
  const tool = keyOf({ type: 'Tool', id: `${server}/${name}` });
  const home = keyOf({ type: 'McpServer', id: server });
  const byAction =
    action.op === 'All' || entitiesOf(action).includes(call)
      ? 'always'
      : action.op === 'in'
        ? 'maybe'
        : 'never';
  if (byAction === 'never') return 'never';
  if (resource.op === 'All') return byAction;
  if (resource.op === 'is') {
    if (resource.entity_type !== 'Tool') return 'never';
    if (resource.in === undefined) return byAction;
  }
  const named = resource.in ? [keyOf(resource.in.entity)] : entitiesOf(resource);
  const reached = named.includes(tool) || (resource.op !== '==' && named.includes(home));
  // A group other than a server may hold anything, if the bundle's own entities say so.
  const isOtherGroup = resource.op !== '==' && !named.every((one) => /^\["(McpServer|Tool)"/.test(one));
  return reached ? byAction : isOtherGroup ? 'maybe' : 'never';
}

function typeOf(scope: ScopeJson): string | undefined {
  return scope.op === 'is' ? scope.entity_type : scope.op === '==' ? scope.entity?.type : undefined;
}

function entitiesOf(scope: ScopeJson): string[] {
  return [...(scope.entity ? [scope.entity] : []), ...(scope.entities ?? [])].map(keyOf);
}

function keyOf({ type, id }: { type: string; id: string }): string {
  return JSON.stringify([type, id]);
}
