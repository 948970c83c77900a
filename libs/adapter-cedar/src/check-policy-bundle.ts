import {
  type EntityJson,
  type PolicySet,
  type SchemaJson,
  checkParseEntities,
  schemaToJson,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyBundle, PolicyProblem } from '@behalf/policy';
import { isSchemaTextTooDeep } from './check-nesting.js';
import { describeCedarError } from './describe-cedar-error.js';
import { type ReadPolicies, readPolicies } from './read-policies.js';
import type { SplitPolicy } from './split-policies.js';

export interface CheckedBundle extends ReadPolicies {
  /** Those of the bundle, and the schema's actions with their groups. */
  entities: EntityJson[];
}

/**
 * Everything that can be known about a bundle before a request: policies parse, ids are unique, every policy is
 * type-correct for every kind of request that the schema declares (Cedar's strict validation), and the bundle's own
 * entities fit the schema. Policies that can never apply are warnings.
 */
export function checkPolicyBundle(bundle: PolicyBundle): CheckedBundle {
  const { policies, problems, policySet } = readPolicies(bundle);
  const unreadable = isSchemaTextTooDeep(bundle.schema)
    ? 'nests too deeply'
    : // On which cedar-wasm throws.
      !bundle.schema.isWellFormed() && 'contains a lone surrogate';
  if (unreadable)
    return { policies, policySet, entities: [], problems: [...problems, schemaProblem(unreadable)] };
  const schema = schemaToJson(bundle.schema);
  if (schema.type === 'failure') {
    problems.push(...schema.errors.map((error) => schemaProblem(describeCedarError(error, bundle.schema))));
    return { policies, policySet, entities: [], problems };
  }
  const given = checkEntities(bundle);
  problems.push(...given.problems);
  // Ids have to be unique before Cedar can report by id.
  if (!problems.some((one) => one.severity === 'error'))
    problems.push(...checkTypes(policies, policySet, bundle.schema));
  return { policies, policySet, entities: [...given.entities, ...actionEntities(schema.json)], problems };
}

function checkTypes(policies: SplitPolicy[], policySet: PolicySet, schema: string): PolicyProblem[] {
  const byId = new Map(policies.map((policy) => [policy.id, policy]));
  const answer = validate({ schema, policies: policySet });
  if (answer.type === 'failure')
    return answer.errors.map((error) => schemaProblem(describeCedarError(error)));
  const found = (severity: PolicyProblem['severity']) => (one: (typeof answer.validationErrors)[number]) => {
    const policy = byId.get(one.policyId);
    return {
      severity,
      policy: one.policyId,
      ...(policy && { file: policy.file }),
      reason: describeCedarError(one.error),
    };
  };
  return [...answer.validationErrors.map(found('error')), ...answer.validationWarnings.map(found('warning'))];
}

function checkEntities({ entities, schema }: PolicyBundle): {
  entities: EntityJson[];
  problems: PolicyProblem[];
} {
  if (entities === undefined) return { entities: [], problems: [] };
  const refuse = (reason: string) => ({
    entities: [],
    problems: [{ severity: 'error' as const, file: 'entities.json', reason }],
  });
  if (!Array.isArray(entities)) return refuse('must be a list of entities');
  try {
    const answer = checkParseEntities({ entities: entities as EntityJson[], schema });
    if (answer.type === 'success') return { entities: entities as EntityJson[], problems: [] };
    return refuse(answer.errors.map((error) => describeCedarError(error)).join('; '));
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : 'cannot be read as entities');
  }
}

/**
 * The schema's actions as entities, for `action in Action::"group"`. Requests are evaluated without the schema, which
 * would refuse undeclared arguments, so Cedar does not learn the groups from there.
 */
function actionEntities(schema: SchemaJson<string>): EntityJson[] {
  return Object.entries(schema).flatMap(([namespace, { actions }]) => {
    const type = namespace === '' ? 'Action' : `${namespace}::Action`;
    return Object.entries(actions).map(([id, action]) => ({
      uid: { type, id },
      attrs: {},
      parents: (action.memberOf ?? []).map((group) => ({ type: group.type ?? type, id: group.id })),
    }));
  });
}

function schemaProblem(reason: string): PolicyProblem {
  return { severity: 'error', file: 'schema.cedarschema', reason };
}
