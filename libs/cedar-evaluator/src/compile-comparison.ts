import { type Code, type Compiler, operation } from './code.js';
import { Datetime } from './datetime.js';
import { Duration } from './duration.js';
import { EvaluationError } from './evaluation-error.js';
import { type Long, isLong } from './long.js';
import type { BinaryJson } from './policy-json.js';
import { valuesEqual } from './cedar-set.js';
import type { Value } from './value.js';

type Test = (left: Value, right: Value) => boolean;

/** Equality of anything with anything; order among Longs, among datetimes and among durations. */
export const comparisonOperators = {
  '==': compare(valuesEqual),
  '!=': compare((left, right) => !valuesEqual(left, right)),
  '<': compare(ordered((left, right) => left < right)),
  '<=': compare(ordered((left, right) => left <= right)),
  '>': compare(ordered((left, right) => left > right)),
  '>=': compare(ordered((left, right) => left >= right)),
};

function compare(test: Test) {
  return (body: BinaryJson, compiler: Compiler): Code => {
    const left = compiler.compile(body.left);
    const right = compiler.compile(body.right);
    const runLeft = left.run;
    const runRight = right.run;
    return operation([left, right], (environment) => test(runLeft(environment), runRight(environment)));
  };
}

function ordered(test: (left: Long, right: Long) => boolean): Test {
  return (left, right) => {
    if (isLong(left) && isLong(right)) return test(left, right);
    if (left instanceof Datetime && right instanceof Datetime) return test(left.ms, right.ms);
    if (left instanceof Duration && right instanceof Duration) return test(left.ms, right.ms);
    throw EvaluationError.typeError;
  };
}
