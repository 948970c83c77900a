import { type Code, type Compiler, operation } from './code.js';
import type { BinaryJson, ConditionalJson, ExpressionJson, UnaryJson } from './policy-json.js';
import { asBoolean } from './type-checks.js';

/** What stands right of a settled `&&`, `||` or of the branch not taken is never evaluated, nor is its type checked. */
export const logicOperators = {
  '&&': (body: BinaryJson, compiler: Compiler): Code => chain('&&', body, compiler, false),

  '||': (body: BinaryJson, compiler: Compiler): Code => chain('||', body, compiler, true),

  '!'({ arg }: UnaryJson, compiler: Compiler): Code {
    const code = compiler.compile(arg);
    const { run } = code;
    return operation([code], (environment) => !asBoolean(run(environment)));
  },

  'if-then-else'(body: ConditionalJson, compiler: Compiler): Code {
    const codes = [body.if, body.then, body.else].map((part) => compiler.compile(part));
    const [test, then, otherwise] = codes.map((code) => code.run);
    return operation(codes, (environment) =>
      asBoolean(test!(environment)) ? then!(environment) : otherwise!(environment),
    );
  },
};

/** `a && b && c` nests to the left; as one list it needs one stack frame and not one for each. */
function chain(operator: string, body: BinaryJson, compiler: Compiler, settledBy: boolean): Code {
  const codes: Code[] = [compiler.compile(body.right)];
  let left: ExpressionJson = body.left;
  for (let next = left[operator]; next !== undefined; next = left[operator]) {
    codes.push(compiler.compile((next as BinaryJson).right));
    left = (next as BinaryJson).left;
  }
  codes.push(compiler.compile(left));
  const runs = codes.toReversed().map((code) => code.run);
  return operation(codes, (environment) => {
    for (const run of runs) if (asBoolean(run(environment)) === settledBy) return settledBy;
    return !settledBy;
  });
}
