import { CedarSet } from './cedar-set.js';
import { type Code, type Compiler, operation } from './code.js';
import type { Entities } from './entities.js';
import { EntityUid } from './entity-uid.js';
import { EvaluationError } from './evaluation-error.js';
import type { BinaryJson, IsJson } from './policy-json.js';
import { asBoolean, asEntity } from './type-checks.js';
import type { Value } from './value.js';

/** Where an entity stands and what it is. */
export const hierarchyOperators = {
  in(body: BinaryJson, compiler: Compiler): Code {
    const left = compiler.compile(body.left);
    const right = compiler.compile(body.right);
    const runLeft = left.run;
    const runRight = right.run;
    // Never folded: what constants are in is for the entities to say.
    return {
      isConstant: false,
      run: (environment) => isIn(runLeft(environment), runRight(environment), environment.entities),
    };
  },

  /** With `in`, that is evaluated only when the type is right. */
  is(body: IsJson, compiler: Compiler): Code {
    const left = compiler.compile(body.left);
    const { run } = left;
    const type = body.entity_type;
    const ofType = operation([left], (environment) => asEntity(run(environment)).type === type);
    if (body.in === undefined) return ofType;
    const inside = hierarchyOperators.in({ left: body.left, right: body.in }, compiler);
    return {
      isConstant: false,
      run: (environment) => asBoolean(ofType.run(environment)) && inside.run(environment),
    };
  },
};

/** An entity is in itself, known or not. Every member of a set has to be an entity, even after one that settles it. */
function isIn(value: Value, container: Value, entities: Entities): boolean {
  const entity = asEntity(value);
  if (container instanceof EntityUid) return isWithin(entity, container, entities);
  if (!(container instanceof CedarSet)) throw EvaluationError.typeError;
  let found = false;
  for (const item of container.items) found = isWithin(entity, asEntity(item), entities) || found;
  return found;
}

function isWithin(entity: EntityUid, container: EntityUid, entities: Entities): boolean {
  return entity.key === container.key || (entities.get(entity.key)?.ancestors.has(container.key) ?? false);
}
