/** An evaluation that cannot be put to a policy. The description names the place, never the value. */
export class InvalidEvaluation extends Error {
  override readonly name = 'InvalidEvaluation';
  constructor(
    /** Where, e.g. `context.arguments.count`. */
    readonly path: string,
    readonly problem: string,
  ) {
    super(`${path}: ${problem}`);
  }
}
