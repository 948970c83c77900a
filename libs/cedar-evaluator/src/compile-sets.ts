import type { CedarSet } from './cedar-set.js';
import { type Code, type Compiler, operation } from './code.js';
import type { BinaryJson, UnaryJson } from './policy-json.js';
import { asSet } from './type-checks.js';
import type { Value } from './value.js';

/** What sets hold. */
export const setOperators = {
  contains: onSet((set, value) => set.has(value)),
  containsAll: onSet((set, other) => set.hasAll(asSet(other))),
  containsAny: onSet((set, other) => set.hasAny(asSet(other))),

  isEmpty({ arg }: UnaryJson, compiler: Compiler): Code {
    const code = compiler.compile(arg);
    const { run } = code;
    return operation([code], (environment) => asSet(run(environment)).items.length === 0);
  },
};

function onSet(test: (set: CedarSet, other: Value) => boolean) {
  return (body: BinaryJson, compiler: Compiler): Code => {
    const left = compiler.compile(body.left);
    const right = compiler.compile(body.right);
    const runLeft = left.run;
    const runRight = right.run;
    return operation([left, right], (environment) => {
      const set = runLeft(environment);
      return test(asSet(set), runRight(environment));
    });
  };
}
