/**
 * A key that only ever encrypts data keys. It may live in this process or in a service that never hands it out, so
 * every verb is asynchronous.
 *
 * What is wrapped is bound to `binding`, and unwraps with the same one only: whoever may use the key, but not read the
 * records, learns from a stolen wrapped key nothing that its place does not already say.
 */
export interface KeyEncryptionKey {
  /** Written into every sealed text, so that it can be told which key opens it. Letters, digits, `-` and `_` only. */
  readonly id: string;
  /** @throws SealingError `unavailable` */
  wrap(dataKey: Uint8Array, binding: Uint8Array): Promise<Uint8Array>;
  /** @throws SealingError `wrong_key` when this key did not wrap it for this binding, or it was changed; `unavailable` */
  unwrap(wrapped: Uint8Array, binding: Uint8Array): Promise<Uint8Array>;
  /**
   * For a key that its service rotates under the same id: wraps anew under the newest version, where the service can do
   * that without showing the data key.
   *
   * @throws SealingError as `unwrap`
   */
  rewrap?(wrapped: Uint8Array, binding: Uint8Array): Promise<Uint8Array>;
}
