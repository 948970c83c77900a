import type { Code, Compiler, Run } from './code.js';
import type { Environment } from './environment.js';
import { EvaluationError } from './evaluation-error.js';
import type { AttributeJson, BinaryJson, HasJson } from './policy-json.js';
import { asEntity, asString } from './type-checks.js';
import type { CedarRecord, Value } from './value.js';

/** What records and entities hold. An unknown entity has nothing, and reading from it errs. */
export const attributeOperators = {
  '.'({ left, attr }: AttributeJson, compiler: Compiler): Code {
    const { run } = compiler.compile(left);
    return reading((environment) => {
      const attributes = attributesOf(run(environment), environment);
      if (attributes === undefined) throw EvaluationError.missingEntity;
      const value = attributes.get(attr);
      if (value === undefined) throw EvaluationError.missingAttribute;
      return value;
    });
  },

  /** `has a.b.c` is `has a && .a has b && .a.b has c`, with the errors of that. */
  has({ left, attr }: HasJson, compiler: Compiler): Code {
    const { run } = compiler.compile(left);
    const path = typeof attr === 'string' ? [attr] : attr;
    return reading((environment) => {
      let value: Value | undefined = run(environment);
      for (const name of path) {
        value = attributesOf(value, environment)?.get(name);
        if (value === undefined) return false;
      }
      return true;
    });
  },

  hasTag: ({ left, right }: BinaryJson, compiler: Compiler): Code =>
    onTag(left, right, compiler, (tags, name) => tags?.has(name) ?? false),

  getTag: ({ left, right }: BinaryJson, compiler: Compiler): Code =>
    onTag(left, right, compiler, (tags, name) => {
      if (tags === undefined) throw EvaluationError.missingEntity;
      const value = tags.get(name);
      if (value === undefined) throw EvaluationError.missingTag;
      return value;
    }),
};

/** Undefined for an entity that is not known. @throws EvaluationError type_error for what can hold nothing */
function attributesOf(value: Value, { entities }: Environment): CedarRecord | undefined {
  if (value instanceof Map) return value as CedarRecord;
  return entities.get(asEntity(value).key)?.attributes;
}

/** Never folded: what an entity holds is for the entities of a request to say. */
function reading(run: Run): Code {
  return { run, isConstant: false };
}

function onTag(
  left: BinaryJson['left'],
  right: BinaryJson['right'],
  compiler: Compiler,
  apply: (tags: CedarRecord | undefined, name: string) => Value,
): Code {
  const entity = compiler.compile(left).run;
  const name = compiler.compile(right).run;
  return reading((environment) => {
    const { key } = asEntity(entity(environment));
    return apply(environment.entities.get(key)?.tags, asString(name(environment)));
  });
}
