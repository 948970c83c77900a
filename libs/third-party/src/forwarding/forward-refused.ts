export type ForwardRefusal =
  /** The target can be read in more than one way, or in none. */
  | 'malformed_target'
  /** No rule of the provider's covers it. */
  | 'not_allowed';

/** A call is not forwarded, whoever asks. */
export class ForwardRefused extends Error {
  override readonly name = 'ForwardRefused';
  constructor(
    readonly reason: ForwardRefusal,
    options?: ErrorOptions,
  ) {
    super(`not forwarded: ${reason}`, options);
  }
}
