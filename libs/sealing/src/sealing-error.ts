export type SealingProblem =
  /** Not a sealed text of a version that this program knows. */
  | 'malformed'
  /** Sealed under another key-encryption key, or its data key was changed or moved to a place it was not sealed for. */
  | 'wrong_key'
  /** Sealed under a key that the ring does not have: an operator may have forgotten a former key. */
  | 'unknown_key'
  /** Changed since it was sealed. */
  | 'not_authentic'
  /** The service that holds the key does not answer, or does not let us use it. */
  | 'unavailable';

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
