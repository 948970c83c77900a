import { operatorOf } from './expression-parts.js';
import type {
  AttributeJson,
  BinaryJson,
  ConditionalJson,
  ExpressionJson,
  HasJson,
  IsJson,
  LikeJson,
  UidJson,
  UnaryJson,
} from './policy-json.js';

const infix = new Set('&& || == != < <= > >= + - * in'.split(' '));
const onSets = new Set(['contains', 'containsAll', 'containsAny', 'hasTag', 'getTag']);
const constructors = new Set(['decimal', 'ip', 'datetime', 'duration']);
const plainName = /^[A-Za-z_]\w*$/;
const reserved = new Set(['true', 'false', 'if', 'then', 'else', 'in', 'like', 'has', 'is', '__cedar']);

/** What nothing was filled into is the policy's own, and printed for every request that it is left of. */
const printed = new WeakMap<ExpressionJson, string>();

/** An expression in Cedar's text form, for people to read; Cedar reads it back as the same expression. */
export function printExpression(expression: ExpressionJson): string {
  let text = printed.get(expression);
  if (text === undefined) printed.set(expression, (text = print(expression)));
  return text;
}

function print(expression: ExpressionJson): string {
  const [operator, body] = operatorOf(expression);
  if (infix.has(operator)) {
    const { left, right } = body as BinaryJson;
    return `${operand(left, operator, true)} ${operator} ${operand(right, operator)}`;
  }
  if (onSets.has(operator)) {
    const { left, right } = body as BinaryJson;
    return `${operand(left)}.${operator}(${printExpression(right)})`;
  }
  if (Array.isArray(body)) return printCall(operator, body as ExpressionJson[]);
  switch (operator) {
    case 'Value':
      return printValue(body);
    case 'Var':
      return body as string;
    case '!':
      return `!${operand((body as UnaryJson).arg)}`;
    case 'neg':
      return `-${operand((body as UnaryJson).arg)}`;
    case 'isEmpty':
      return `${operand((body as UnaryJson).arg)}.isEmpty()`;
    case '.': {
      const { left, attr } = body as AttributeJson;
      return `${operand(left)}${isName(attr) ? `.${attr}` : `[${quote(attr)}]`}`;
    }
    case 'has': {
      const { left, attr } = body as HasJson;
      const path = [attr].flat().map((name) => (isName(name) ? name : quote(name)));
      return `${operand(left)} has ${path.join('.')}`;
    }
    case 'like': {
      const { left, pattern } = body as LikeJson;
      const text = pattern.map((one) =>
        one === 'Wildcard' ? '*' : escape(one.Literal).replaceAll('*', String.raw`\*`),
      );
      return `${operand(left)} like "${text.join('')}"`;
    }
    case 'is': {
      const { left, entity_type, in: within } = body as IsJson;
      return `${operand(left)} is ${entity_type}${within ? ` in ${operand(within)}` : ''}`;
    }
    case 'if-then-else': {
      const { if: test, then, else: otherwise } = body as ConditionalJson;
      return `if ${printExpression(test)} then ${printExpression(then)} else ${printExpression(otherwise)}`;
    }
    case 'Record': {
      const members = Object.entries(body as Record<string, ExpressionJson>);
      return `{${members.map(([name, value]) => `${quote(name)}: ${printExpression(value)}`).join(', ')}}`;
    }
    default:
      return `${operator}(…)`;
  }
}

function printCall(operator: string, operands: readonly ExpressionJson[]): string {
  if (operator === 'Set') return `[${operands.map(printExpression).join(', ')}]`;
  const [first, ...others] = operands;
  if (first === undefined || constructors.has(operator))
    return `${operator}(${operands.map(printExpression).join(', ')})`;
  return `${operand(first)}.${operator}(${others.map(printExpression).join(', ')})`;
}

const atoms = new Set(['Var', '.', 'Set', 'Record', 'isEmpty', ...onSets]);

/** In brackets, unless it cannot be read another way without them. */
function operand(expression: ExpressionJson, within?: string, isLeft = false): string {
  const [operator, body] = operatorOf(expression);
  const text = printExpression(expression);
  const isChain = isLeft && operator === within && (operator === '&&' || operator === '||');
  const isAtom = atoms.has(operator) || (Array.isArray(body) && !infix.has(operator));
  const isPlainValue = operator === 'Value' && !text.startsWith('-');
  const bindsTighter = (within === '&&' || within === '||') && tight.has(operator);
  return isChain || isAtom || isPlainValue || bindsTighter ? text : `(${text})`;
}

/** What can stand beside `&&` and `||` as it is. */
const tight = new Set(['==', '!=', '<', '<=', '>', '>=', 'in', 'has', 'like', 'is', '!']);

function printValue(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const { __entity: uid, __extn: call } = value as {
    __entity?: UidJson;
    __extn?: { fn: string; arg: string };
  };
  if (call !== undefined) return `${call.fn}(${quote(call.arg)})`;
  const { type, id } = uid as { type: string; id: string };
  return `${type}::${quote(id)}`;
}

function isName(name: string): boolean {
  return plainName.test(name) && !reserved.has(name);
}

function quote(text: string): string {
  return `"${escape(text)}"`;
}

/** Whatever cannot be seen is written by its number, so that a hint cannot hide anything. */
function escape(text: string): string {
  return text
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, (char) => String.raw`\u{${char.codePointAt(0)!.toString(16)}}`);
}
