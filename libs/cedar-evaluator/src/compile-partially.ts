import { type Compiler, PolicyNotCompiled } from './code.js';
import { compileExpression, compileOperator } from './compile-expression.js';
import { operandsOf, operatorOf, readsContext, withOperands } from './expression-parts.js';
import { literalExpression } from './literal-expression.js';
import { OpenRecord } from './open-record.js';
import { partialChain, partialConditional, partialNot } from './partial-logic.js';
import {
  type PartialRun,
  type PartialValue,
  type Residual,
  anyOutcome,
  certainError,
  expressionOf,
  known,
  outcome,
  outcomesOf,
  residual,
  settle,
} from './partial-value.js';
import type {
  AttributeJson,
  BinaryJson,
  ConditionalJson,
  ExpressionJson,
  HasJson,
  IsJson,
  UnaryJson,
} from './policy-json.js';
import type { Value } from './value.js';

const tests = new Set(
  '== != < <= > >= in is like contains containsAll containsAny isEmpty hasTag'.split(' '),
);
const { true: whenTrue, false: whenFalse, other, error: whenError } = outcome;

/**
 * Compiles an expression to what it comes to when part of the context is not known: its value where that follows from
 * what is known, and else what is left of it. What does not look at the context, and whatever has only operands that are
 * known, is evaluated by the very code that decides requests.
 *
 * @throws PolicyNotCompiled
 */
export function compilePartially(expression: ExpressionJson): PartialRun {
  const compile = (json: ExpressionJson): PartialRun => {
    if (!readsContext(json)) {
      const { run } = compileExpression(json);
      return (environment) => settle(() => run(environment));
    }
    const [operator, body] = operatorOf(json);
    switch (operator) {
      case 'Var':
        return ({ openContext }) => ofMember(json, openContext);
      case '&&':
      case '||': {
        const { left, right } = body as BinaryJson;
        return partialChain(operator, json, compile(left), compile(right));
      }
      case '!':
        return partialNot(json, compile((body as UnaryJson).arg));
      case 'if-then-else': {
        const { if: test, then, else: otherwise } = body as ConditionalJson;
        return partialConditional(json, compile(test), compile(then), compile(otherwise));
      }
      case 'is': {
        const { left, entity_type, in: right } = body as IsJson;
        if (right === undefined) return strict(json, compile);
        // What it is short for: the `in` is evaluated only when the type is right.
        return compile({ '&&': { left: { is: { left, entity_type } }, right: { in: { left, right } } } });
      }
      case '.':
        return readMember(json, body as AttributeJson, strict(json, compile), compile);
      case 'has':
        return askMember(json, body as HasJson, strict(json, compile), compile);
      default:
        return strict(json, compile);
    }
  };
  return compile(expression);
}

/** An operator that evaluates all of its operands, and errs when one of them does. */
function strict(json: ExpressionJson, compile: (operand: ExpressionJson) => PartialRun): PartialRun {
  const [operator, body] = operatorOf(json);
  const operands = operandsOf(operator, body);
  const runs = operands.map(compile);
  const places = new Map(operands.map((operand, index) => [operand, index]));
  // The operator is compiled once, over places that each evaluation fills; nothing of it runs in between.
  const values: Value[] = [];
  const compiler: Compiler = {
    compile(operand) {
      const place = places.get(operand);
      if (place === undefined) throw new PolicyNotCompiled(`the operand of ${operator} is not known`);
      return { run: () => values[place]!, isConstant: false };
    },
  };
  const { run: apply } = compileOperator(operator, body, compiler);
  return (environment) => {
    const results = runs.map((run) => run(environment));
    if (results.some(({ kind }) => kind === 'error')) return certainError;
    if (results.some(({ kind }) => kind === 'residual')) {
      const parts = results.map((result, index) => expressionOf(result, operands[index]!));
      return residual(withOperands(json, parts), strictOutcomes(operator, results));
    }
    for (const [index, result] of results.entries())
      values[index] = (result as Extract<PartialValue, { kind: 'known' }>).value;
    return settle(() => apply(environment));
  };
}

function strictOutcomes(operator: string, operands: readonly PartialValue[]): number {
  const operandsErr = operands.some((operand) => (outcomesOf(operand) & whenError) !== 0) ? whenError : 0;
  if (operator === '==' || operator === '!=') return whenTrue | whenFalse | operandsErr;
  if (tests.has(operator)) return whenTrue | whenFalse | whenError;
  if (operator === 'Set' || operator === 'Record') return other | operandsErr;
  return anyOutcome;
}

function readMember(
  original: ExpressionJson,
  { left, attr }: AttributeJson,
  whole: PartialRun,
  compile: (json: ExpressionJson) => PartialRun,
): PartialRun {
  const of = compile(left);
  return (environment) => {
    const holder = of(environment);
    if (holder.kind !== 'residual' || holder.record === undefined) return whole(environment);
    const expression = withOperands(original, [holder.expression]);
    const member = holder.record.members.get(attr);
    if (member !== undefined) return ofMember(expression, member);
    return holder.record.isOpen ? residual(expression, anyOutcome) : certainError;
  };
}

function askMember(
  original: ExpressionJson,
  { left, attr }: HasJson,
  whole: PartialRun,
  compile: (json: ExpressionJson) => PartialRun,
): PartialRun {
  const of = compile(left);
  const path = typeof attr === 'string' ? [attr] : attr;
  const inKnown = (value: Value, rest: readonly string[]): ExpressionJson => ({
    has: { left: literalExpression(value), attr: rest },
  });
  return (environment) => {
    const holder = of(environment);
    if (holder.kind !== 'residual' || holder.record === undefined) return whole(environment);
    let { record, expression } = holder as Required<Residual>;
    for (const [index, name] of path.entries()) {
      const rest = path.slice(index);
      const member = record.members.get(name);
      if (member === undefined) {
        if (!record.isOpen) return known(false);
        const asked =
          index === 0
            ? withOperands(original, [expression])
            : { has: { left: expression, attr: rest.length === 1 ? name : rest } };
        return residual(asked, whenTrue | whenFalse | (rest.length === 1 ? 0 : whenError));
      }
      if (!(member instanceof OpenRecord)) {
        if (rest.length === 1) break;
        const below = compileExpression(inKnown(member, rest.slice(1)));
        return settle(() => below.run(environment));
      }
      record = member;
      expression = { '.': { left: expression, attr: name } };
    }
    return known(true);
  };
}

function ofMember(expression: ExpressionJson, member: Value | OpenRecord): PartialValue {
  if (!(member instanceof OpenRecord)) return known(member);
  return { ...residual(expression, other), record: member };
}
