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
  const forbids = satisfied.filter(({ effect }) => effect === 'forbid');
  const decisive = forbids.length > 0 ? forbids : satisfied;
  return {
    decision: forbids.length === 0 && satisfied.length > 0 ? 'allow' : 'deny',
    determining: decisive.map(({ id }) => id).sort(),
    erring: erring
      .map(({ id, effect }) => ({ id, effect }))
      .sort((one, other) => (one.id < other.id ? -1 : 1)),
  };
}
