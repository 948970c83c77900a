/** Why a request of a gateway cannot be put to the policy. Never a reason to let it through. */
export type Unmappable =
  /** It cannot be read: not JSON, not a message, a member of the wrong type. */
  | 'malformed'
  /** Nobody vouches for a person: no verified token and no claims from the gateway. */
  | 'no_identity'
  /** It can be read, and is refused as it stands: an unknown method, a partial body, headers that nobody checks. */
  | 'refused';

/** A request that has no faithful form as an evaluation. The message names the place, never a value. */
export class UnmappableRequest extends Error {
  override readonly name = 'UnmappableRequest';
  constructor(
    readonly why: Unmappable,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(problem, options);
  }
}
