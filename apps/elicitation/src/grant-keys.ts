import type { Clock } from '@behalf/ports';
import { type JSONWebKeySet, type JWTVerifyGetKey, createLocalJWKSet, errors } from 'jose';

/** A stranger's key id must not make us ask each time. */
const cooldownMs = 5_000;

/** The policy service's keys for decision grants; asked for again when a grant is signed with one that is not known. */
export class GrantKeys {
  #known: { find: JWTVerifyGetKey; atMs: number } | undefined;
  #asking: Promise<JWTVerifyGetKey> | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly ask: () => Promise<{ keys: JSONWebKeySet['keys'] }>,
  ) {}

  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = this.#known ?? { find: await this.#load(), atMs: this.clock.nowMs() };
    try {
      return await known.find(header, token);
    } catch (error) {
      const mayAsk = this.clock.nowMs() >= known.atMs + cooldownMs;
      if (!(error instanceof errors.JWKSNoMatchingKey) || !mayAsk) throw error;
      return (await this.#load())(header, token);
    }
  };

  #load(): Promise<JWTVerifyGetKey> {
    this.#asking ??= this.ask()
      .then((keys) => {
        const find: JWTVerifyGetKey = createLocalJWKSet(keys);
        this.#known = { find, atMs: this.clock.nowMs() };
        return find;
      })
      .finally(() => (this.#asking = undefined));
    return this.#asking;
  }
}
