import type { EntityUidJson } from './entity-uid.js';
import type { PatternElementJson } from './wildcard-pattern.js';

/**
 * A policy or template in Cedar's JSON form, as `policyToJson` and `templateToJson` of cedar-wasm give it.
 *
 * @see https://docs.cedarpolicy.com/policies/json-format.html
 */
export interface PolicyJson {
  effect: 'permit' | 'forbid';
  principal: ScopeJson;
  action: ActionScopeJson;
  resource: ScopeJson;
  conditions: readonly { kind: 'when' | 'unless'; body: ExpressionJson }[];
}

export type UidJson = EntityUidJson | { __entity: EntityUidJson };
export type EntityOrSlotJson = { entity: UidJson } | { slot: string };
export type ScopeJson =
  | { op: 'All' }
  | ({ op: '==' } & EntityOrSlotJson)
  | ({ op: 'in' } & EntityOrSlotJson)
  | { op: 'is'; entity_type: string; in?: EntityOrSlotJson };
export type ActionScopeJson =
  | { op: 'All' }
  | ({ op: '==' } & EntityOrSlotJson)
  | ({ op: 'in' } & ({ entity: UidJson } | { entities: readonly UidJson[] }));

/** One operator and what it is applied to. */
export type ExpressionJson = Readonly<Record<string, unknown>>;

export interface UnaryJson {
  arg: ExpressionJson;
}
export interface BinaryJson {
  left: ExpressionJson;
  right: ExpressionJson;
}
export interface AttributeJson {
  left: ExpressionJson;
  attr: string;
}
export interface HasJson {
  left: ExpressionJson;
  attr: string | readonly string[];
}
export interface LikeJson {
  left: ExpressionJson;
  pattern: readonly PatternElementJson[];
}
export interface IsJson {
  left: ExpressionJson;
  entity_type: string;
  in?: ExpressionJson;
}
export interface ConditionalJson {
  if: ExpressionJson;
  then: ExpressionJson;
  else: ExpressionJson;
}
