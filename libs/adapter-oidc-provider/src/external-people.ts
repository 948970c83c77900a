import { compileCondition, ExternalSubjects, type SubjectRules } from '@behalf/trusted-issuers';
import type { ProviderDependencies } from './dependencies.js';

/**
 * The people of other issuers, as configured.
 *
 * @throws Error for a condition that is none: the server does not start with it
 */
export function externalPeople({ config, trustedKeys, clock }: ProviderDependencies): ExternalSubjects {
  const rules = config.authorizationServer.trustedIssuers.flatMap(({ people, ...source }): SubjectRules[] => {
    if (!people) return [];
    const { condition, ...rest } = people;
    return [{ ...source, ...rest, condition: compile(source.issuer, condition) }];
  });
  return new ExternalSubjects(rules, trustedKeys, clock);
}

function compile(issuer: string, condition: string | undefined): SubjectRules['condition'] {
  if (condition === undefined) return undefined;
  try {
    return compileCondition(condition);
  } catch (cause) {
    throw new Error(`the condition on tokens of ${issuer} is no CEL`, { cause });
  }
}
