import { type Code, type Compiler, PolicyNotCompiled, operation } from './code.js';
import { EvaluationError } from './evaluation-error.js';
import { extensionFunctions } from './extension-functions.js';
import type { ExpressionJson } from './policy-json.js';

/**
 * A call of an extension function. A wrong number of arguments errs when it is evaluated, as it does in Cedar.
 *
 * @throws PolicyNotCompiled when there is no such function
 */
export function compileExtensionCall(
  name: string,
  args: readonly ExpressionJson[],
  compiler: Compiler,
): Code {
  const known = extensionFunctions.get(name);
  if (known === undefined) throw new PolicyNotCompiled(`there is no operator or function ${name}`);
  const codes = args.map((arg) => compiler.compile(arg));
  const { call } = known;
  const [first, second] = codes.map((code) => code.run);
  if (codes.length !== known.arity) {
    return operation(codes, (environment) => {
      for (const { run } of codes) run(environment);
      throw EvaluationError.extensionError;
    });
  }
  if (second === undefined) {
    return operation(codes, (environment) => {
      const value = first!(environment);
      return call(value, value);
    });
  }
  return operation(codes, (environment) => call(first!(environment), second(environment)));
}
