/** What is needed of a policy to combine it with others. */
export interface NamedPolicy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
}

export interface PolicyAnswer {
  decision: 'allow' | 'deny';
  /** Ids of the policies that determined the decision, sorted. Empty when no policy was satisfied. */
  determining: string[];
  /** Policies that could not be evaluated, sorted by id. */
  erring: NamedPolicy[];
}

/** Cedar's rule: deny unless some `permit` is satisfied and no `forbid` is. */
export function combineVerdicts(
  satisfied: readonly NamedPolicy[],
  erring: readonly NamedPolicy[],
): PolicyAnswer {
  const isForbidden = satisfied.some(({ effect }) => effect === 'forbid');
  const determining: string[] = [];
  for (const { id, effect } of satisfied) if (!isForbidden || effect === 'forbid') determining.push(id);
  return {
    decision: !isForbidden && satisfied.length > 0 ? 'allow' : 'deny',
    determining: determining.length > 1 ? determining.sort() : determining,
    erring: erring.length === 0 ? [] : namesOf(erring),
  };
}

function namesOf(policies: readonly NamedPolicy[]): NamedPolicy[] {
  return policies
    .map(({ id, effect }) => ({ id, effect }))
    .sort((one, other) => (one.id < other.id ? -1 : 1));
}
