import { ForwardRefused } from './forward-refused.js';
import type { ForwardRule, Forwarding } from './forwarding.js';
import type { ForwardTarget } from './parse-forward-target.js';

export interface MatchedRule {
  readonly rule: ForwardRule;
  /** The pattern that the path fits: tells the kind of call and nothing of what it is about. */
  readonly pattern: string;
}

/**
 * The first rule that covers a call. Paths are compared letter by letter, after decoding.
 *
 * @throws ForwardRefused `not_allowed`
 */
export function findForwardRule(
  { rules }: Pick<Forwarding, 'rules'>,
  method: string,
  { host, segments }: Pick<ForwardTarget, 'host' | 'segments'>,
): MatchedRule {
  for (const rule of rules) {
    if (new URL(rule.origin).host !== host || !rule.methods.some((one) => one === method)) continue;
    const pattern = rule.paths.find((path) => fits(segments, path));
    if (pattern !== undefined) return { rule, pattern };
  }
  throw new ForwardRefused('not_allowed');
}

function fits(segments: readonly string[], pattern: string): boolean {
  const parts = pattern.slice(1).split('/');
  const isOpen = parts.at(-1) === '**';
  const fixed = isOpen ? parts.slice(0, -1) : parts;
  if (isOpen ? segments.length <= fixed.length : segments.length !== fixed.length) return false;
  // What stands for a name stands for one that is there: `/repos/*` does not cover `/repos/`.
  return fixed.every((part, at) => (part === '*' ? segments[at] !== '' : part === segments[at]));
}
