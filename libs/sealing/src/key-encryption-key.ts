/**
 * A key that only ever encrypts data keys. It may live in this process or in a vault that never hands it out, so both
 * verbs are asynchronous.
 */
export interface KeyEncryptionKey {
  /** Written into every sealed text, so that it can be told which key opens it. Letters, digits, `-` and `_` only. */
  readonly id: string;
  wrap(dataKey: Uint8Array): Promise<Uint8Array>;
  /** @throws SealingError `wrong_key` when this key did not wrap it, or it was changed since */
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>;
}
