import type { PolicyBundle, PolicyProblem } from './ports.js';

/** A policy as its parser sees it. */
export interface ParsedPolicy {
  /** What `@id` says, or else `<file>#<n>`: the name an engine reports it by. */
  id: string;
  file: string;
  effect: 'permit' | 'forbid';
  text: string;
  annotations: Readonly<Record<string, string>>;
  /** Cedar's JSON policy form. @see https://docs.cedarpolicy.com/policies/json-format.html */
  json: PolicyJson;
}

export interface PolicyJson {
  principal: ScopeJson;
  action: ScopeJson;
  resource: ScopeJson;
  conditions: { kind: 'when' | 'unless'; body: unknown }[];
}

/** One constraint of a policy's head. `in` names one entity, or several with an action. */
export interface ScopeJson {
  op: string;
  entity?: { type: string; id: string };
  entities?: { type: string; id: string }[];
  entity_type?: string;
  in?: { entity: { type: string; id: string } };
}

export interface PolicyParser {
  /** Only reads: what cannot be parsed is left out and reported, and nothing is validated. */
  read(bundle: PolicyBundle): { policies: ParsedPolicy[]; problems: PolicyProblem[] };
  /** Also validates against the bundle's schema, which takes most of the time. */
  parse(bundle: PolicyBundle): { policies: ParsedPolicy[]; problems: PolicyProblem[] };
}
