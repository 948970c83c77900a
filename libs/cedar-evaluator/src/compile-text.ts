import { type Code, type Compiler, operation } from './code.js';
import type { LikeJson } from './policy-json.js';
import { asString } from './type-checks.js';
import { compilePattern } from './wildcard-pattern.js';

export const textOperators = {
  like({ left, pattern }: LikeJson, compiler: Compiler): Code {
    const code = compiler.compile(left);
    const { run } = code;
    const matches = compilePattern(pattern);
    return operation([code], (environment) => matches(asString(run(environment))));
  },
};
