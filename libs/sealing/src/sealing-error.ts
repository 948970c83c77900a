export type SealingProblem =
  /** Not a sealed text of a version that this program knows. */
  | 'malformed'
  /** Sealed under another key-encryption key. */
  | 'wrong_key'
  /** Changed since it was sealed, or moved to a place it was not sealed for. */
  | 'not_authentic';

/** A sealed text could not be opened. Says nothing of what is in it. */
export class SealingError extends Error {
  override readonly name = 'SealingError';
  constructor(
    readonly problem: SealingProblem,
    options?: ErrorOptions,
  ) {
    super(`sealed text refused: ${problem}`, options);
  }
}
