import { type ParsedPolicy, type PolicyProblem, isConditional, readPolicyTerms } from '@behalf/policy';
import { constantOf } from './constant-of.js';
import { coversScope, mayReachTool } from './scope-covers.js';
import { spellJson } from './spell-json.js';
import { unguardedAttributes } from './unguarded-attributes.js';

export interface KnownTool {
  server: string;
  name: string;
}

/**
 * Finds what is allowed and yet hardly meant: rules that never match, forbids that err when an attribute is missing,
 * permits that add nothing or permit nothing, and tools that no permit reaches. All are warnings.
 *
 * Judges by structure alone, so it finds only what is certain: it proves nothing about rules it is silent on.
 */
export function lintPolicies(policies: ParsedPolicy[], tools: readonly KnownTool[] = []): PolicyProblem[] {
  return [
    ...policies.flatMap((policy) => [
      ...(neverMatches(policy) ? [warning(policy, 'never matches: a condition is always false')] : []),
      ...(policy.effect === 'forbid' ? unguardedAttributes(policy.json) : []).map((path) =>
        warning(
          policy,
          `reads ${path} without asking whether it is there: it errs, and so denies, when it is not`,
        ),
      ),
    ]),
    ...policies.flatMap((policy) => shadowOf(policy, policies)),
    ...tools
      .filter((tool) => !isReachable(tool, policies))
      .map(({ server, name }) => ({
        severity: 'warning' as const,
        reason: `the tool ${server}/${name} can be called by nobody`,
      })),
  ];
}

function shadowOf(policy: ParsedPolicy, policies: ParsedPolicy[]): PolicyProblem[] {
  if (policy.effect !== 'permit' || neverMatches(policy)) return [];
  const wider = policies.find((other) => other !== policy && isShadowedBy(policy, other, policies));
  if (wider === undefined) return [];
  return wider.effect === 'forbid'
    ? [warning(policy, `permits nothing: ${wider.id} forbids all of it`)]
    : [warning(policy, `adds nothing: ${wider.id} permits all of it`)];
}

/** Of two permits that say the same only the later is shadowed. */
function isShadowedBy(policy: ParsedPolicy, other: ParsedPolicy, policies: ParsedPolicy[]): boolean {
  if (hasTerms(other) || !coversScope(other.json, policy.json)) return false;
  if (!isUnconditional(other)) {
    const same = spellJson(other.json.conditions) === spellJson(policy.json.conditions);
    if (!same) return false;
  }
  const isMutual =
    other.effect === 'permit' &&
    coversScope(policy.json, other.json) &&
    isUnconditional(policy) === isUnconditional(other);
  return !isMutual || policies.indexOf(other) < policies.indexOf(policy);
}

function isReachable(tool: KnownTool, policies: ParsedPolicy[]): boolean {
  const forbidden = policies.some(
    (policy) =>
      policy.effect === 'forbid' &&
      isUnconditional(policy) &&
      !hasTerms(policy) &&
      policy.json.principal.op === 'All' &&
      mayReachTool(policy.json, tool) === 'always',
  );
  return (
    !forbidden &&
    policies.some(
      (policy) =>
        policy.effect === 'permit' && !neverMatches(policy) && mayReachTool(policy.json, tool) !== 'never',
    )
  );
}

function neverMatches({ json }: ParsedPolicy): boolean {
  return json.conditions.some(({ kind, body }) => constantOf(body) === (kind === 'unless'));
}

function isUnconditional({ json }: ParsedPolicy): boolean {
  return json.conditions.every(({ kind, body }) => constantOf(body) === (kind === 'when'));
}

/** Permits with terms are not equal to those without, whatever their scope. */
function hasTerms({ effect, annotations }: ParsedPolicy): boolean {
  const { terms } = readPolicyTerms(effect, annotations);
  return isConditional(terms) || terms.redact.length > 0;
}

function warning({ id, file }: ParsedPolicy, reason: string): PolicyProblem {
  return { severity: 'warning', file, policy: id, reason };
}
