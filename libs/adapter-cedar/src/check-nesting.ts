import { type PolicyJson, nestingDepth } from '@behalf/cedar-evaluator';

/**
 * cedar-wasm parses and evaluates recursively on a fixed stack. Running out of it is a trap that leaves the whole
 * module unusable for good, so one such policy would end all its decisions. Measured with 4.13: brackets trap between
 * 100 and 150, chains of operators when evaluated between 200 and 400, `else if` when parsed between 400 and 1000.
 */
const maxBrackets = 64;
const maxOperators = 300;
/** One operator is two levels of JSON, so this is 200 operators. */
const maxJsonDepth = 400;

const skipped = /"(?:[^"\\]|\\[^])*"|\/\/[^\n]*/;
const policyToken = new RegExp(`${skipped.source}|[()[\\]{};]|&&|\\|\\||[-+*]|[A-Za-z_]\\w*`, 'g');
const schemaToken = new RegExp(`${skipped.source}|[()[\\]{}<>]`, 'g');
const operators = new Set(['&&', '||', '-', '+', '*', 'if']);

/** True when policies nest so deeply that they must not reach the parser. */
export function isPolicyTextTooDeep(text: string): boolean {
  let operatorsInPolicy = 0;
  for (const [token] of text.matchAll(policyToken)) {
    if (token === ';') operatorsInPolicy = 0;
    else if (operators.has(token) && ++operatorsInPolicy > maxOperators) return true;
  }
  return bracketsTooDeep(text, policyToken, '([{', ')]}');
}

/** True when a schema nests so deeply that it must not reach the parser. */
export function isSchemaTextTooDeep(text: string): boolean {
  return bracketsTooDeep(text, schemaToken, '([{<', ')]}>');
}

/** True when a policy's expressions nest so deeply that they must not reach the validator. */
export function isExpressionTooDeep({ conditions }: Pick<PolicyJson, 'conditions'>): boolean {
  return nestingDepth(conditions) > maxJsonDepth;
}

function bracketsTooDeep(text: string, token: RegExp, opening: string, closing: string): boolean {
  let depth = 0;
  for (const [one] of text.matchAll(token)) {
    if (opening.includes(one)) depth += 1;
    else if (closing.includes(one)) depth -= 1;
    if (depth > maxBrackets) return true;
  }
  return false;
}
