import { type Code, type Compiler, operation } from './code.js';
import { type Long, addLongs, multiplyLongs, negateLong, subtractLongs } from './long.js';
import type { BinaryJson, UnaryJson } from './policy-json.js';
import { asLong } from './type-checks.js';

/** On Longs only. What does not fit into 64 bits errs; nothing wraps around. */
export const arithmeticOperators = {
  '+': arithmetic(addLongs),
  '-': arithmetic(subtractLongs),
  '*': arithmetic(multiplyLongs),

  neg({ arg }: UnaryJson, compiler: Compiler): Code {
    const code = compiler.compile(arg);
    const { run } = code;
    return operation([code], (environment) => negateLong(asLong(run(environment))));
  },
};

function arithmetic(apply: (left: Long, right: Long) => Long) {
  return (body: BinaryJson, compiler: Compiler): Code => {
    const left = compiler.compile(body.left);
    const right = compiler.compile(body.right);
    const runLeft = left.run;
    const runRight = right.run;
    return operation([left, right], (environment) =>
      apply(asLong(runLeft(environment)), asLong(runRight(environment))),
    );
  };
}
