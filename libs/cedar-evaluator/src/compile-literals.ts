import { CedarSet } from './cedar-set.js';
import { type Code, type Compiler, PolicyNotCompiled, constant, operation } from './code.js';
import type { ExpressionJson } from './policy-json.js';
import { readValue } from './read-value.js';
import type { Value } from './value.js';

/** Values, variables, and the literals of sets and records. */
export const literalOperators = {
  Value: (json: unknown): Code => constant(readValue(json)),

  Var(name: string): Code {
    switch (name) {
      case 'principal':
        return { run: ({ principal }) => principal, isConstant: false };
      case 'action':
        return { run: ({ action }) => action, isConstant: false };
      case 'resource':
        return { run: ({ resource }) => resource, isConstant: false };
      case 'context':
        return { run: ({ context }) => context, isConstant: false };
      default:
        throw new PolicyNotCompiled(`there is no variable ${name}`);
    }
  },

  Set(items: readonly ExpressionJson[], compiler: Compiler): Code {
    const codes = items.map((item) => compiler.compile(item));
    const runs = codes.map((code) => code.run);
    return operation(codes, (environment) => new CedarSet(runs.map((run) => run(environment))));
  },

  Record(members: Readonly<Record<string, ExpressionJson>>, compiler: Compiler): Code {
    const entries = Object.entries(members).map(([name, member]) => ({
      name,
      code: compiler.compile(member),
    }));
    return operation(
      entries.map(({ code }) => code),
      (environment) => new Map<string, Value>(entries.map(({ name, code }) => [name, code.run(environment)])),
    );
  },
};
