import { type Budget, readBudgets } from './read-budgets.js';

/** What a policy's annotations add to its effect. See docs/policies.md for the scheme. */
export interface PolicyTerms {
  /** `@scopes`: what the access token must carry. */
  scopes: string[];
  /** `@approval`: who has to approve the exact call. */
  approval: 'human' | 'other-human' | undefined;
  /** `@budget`: what may be spent. */
  budgets: Budget[];
  /** `@redact`: fields that must not leave with the result. */
  redact: string[];
}

/** Annotations that say something to people only. */
const descriptive = new Set(['id', 'doc', 'description', 'reason', 'owner', 'severity']);
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Reads the annotations of one policy. A condition (`@scopes`, `@approval`, `@budget`) on a permit is what it permits
 * on; on a forbid, what lifts it. A duty (`@redact`) is for permits only.
 *
 * An annotation that nobody reads is a fault: `@aproval` on a permit would otherwise permit without approval. What is
 * meant for others begins with `x_`.
 */
export function readPolicyTerms(
  effect: 'permit' | 'forbid',
  annotations: Readonly<Record<string, string>>,
): { terms: PolicyTerms; faults: string[] } {
  const terms: PolicyTerms = { scopes: [], approval: undefined, budgets: [], redact: [] };
  const faults: string[] = [];
  for (const [name, value] of Object.entries(annotations)) {
    if (descriptive.has(name) || name.startsWith('x_')) continue;
    const fault = readAnnotation(name, value, effect, terms);
    if (fault !== undefined) faults.push(`@${name} ${fault}`);
  }
  return { terms, faults };
}

/** True when the policy has its effect only under conditions. */
export function isConditional({ scopes, approval, budgets }: PolicyTerms): boolean {
  return scopes.length > 0 || approval !== undefined || budgets.length > 0;
}

function readAnnotation(
  name: string,
  value: string,
  effect: 'permit' | 'forbid',
  terms: PolicyTerms,
): string | undefined {
  switch (name) {
    case 'scopes':
      terms.scopes = words(value, /\s+/);
      return terms.scopes.length > 0 && terms.scopes.every((scope) => scopeToken.test(scope))
        ? undefined
        : 'must name scopes';
    case 'approval':
      if (value !== 'human' && value !== 'other-human') return 'must be "human" or "other-human"';
      terms.approval = value;
      return undefined;
    case 'budget': {
      const budgets = readBudgets(value);
      if (budgets === undefined)
        return 'must read like "10/hour per person" or "500 cost/7 days per person+tool"';
      terms.budgets = budgets;
      return undefined;
    }
    case 'redact':
      terms.redact = words(value, /[\s,]+/);
      if (effect === 'forbid') return 'has no meaning on a forbid';
      return terms.redact.length > 0 ? undefined : 'must name fields';
    default:
      return 'is not known; annotations of your own begin with x_';
  }
}

function words(text: string, separator: RegExp): string[] {
  return [...new Set(text.split(separator).filter((word) => word !== ''))].sort();
}
