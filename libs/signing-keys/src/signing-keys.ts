import { signingKeysRotated } from '@behalf/contracts';
import {
  type Clock,
  RecordConflict,
  type RecordReader,
  type RecordStore,
  type RecordTransaction,
} from '@behalf/ports';
import { type KeyEncryptionKey, open } from '@behalf/sealing';
import type { JWK } from 'jose';
import { generateSigningKey, sealingContext } from './generate-signing-key.js';
import {
  type PublicJwk,
  type SigningAlgorithm,
  type SigningKey,
  type SigningKeyKinds,
  signingAlgorithms,
  signingKeyKinds,
} from './signing-key-record.js';

const ringId = 'ring';
const maxKeys = 1000;
const maxAttempts = 5;

export interface SigningKeysOptions {
  /**
   * How long a retired key stays published: the longest life of anything signed with it, and the time a signer or a
   * verifier may take to notice a rotation.
   */
  overlapSeconds: number;
  /** Keeps these keys apart from all others; the authorization server's have none. Our own word. */
  purpose?: string;
  /** All that are supported without it. */
  algorithms?: readonly SigningAlgorithm[];
}

/** A private key with the members that name it. To be held in memory only. */
export interface PrivateJwk extends JWK {
  kid: string;
  alg: SigningAlgorithm;
  use: 'sig';
}

/**
 * The authorization server's signing keys. For each algorithm there is one that signs and the next one, published
 * ahead of its first use so that verifiers know it already; retired ones stay until nothing signed with them lives.
 */
export class SigningKeys {
  readonly #kinds: SigningKeyKinds;
  readonly #algorithms: readonly SigningAlgorithm[];

  constructor(
    private readonly records: RecordStore,
    private readonly kek: KeyEncryptionKey,
    private readonly clock: Clock,
    private readonly options: SigningKeysOptions,
  ) {
    this.#kinds = signingKeyKinds(options.purpose);
    this.#algorithms = options.algorithms ?? signingAlgorithms;
  }

  /** Makes the keys that are missing. Of several processes that start at once all end up with the same keys. */
  async ensure(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#createMissing();
      } catch (error) {
        if (!(error instanceof RecordConflict) || attempt === maxAttempts) throw error;
      }
    }
  }

  /** The private keys that sign now, ES256 first. @throws SealingError when a row was tampered with or the key is another */
  async current(): Promise<PrivateJwk[]> {
    const active = inOrder(await this.#keysIn(this.records, 'active'));
    return Promise.all(active.map((key) => this.#unseal(key)));
  }

  /** What the JWKS document holds: the keys that sign, then the next ones, then the retired ones. */
  async publicJwks(): Promise<{ keys: PublicJwk[] }> {
    const keys: SigningKey[] = [];
    for (const state of ['active', 'next', 'retired'] as const) {
      keys.push(...inOrder(await this.#keysIn(this.records, state)));
    }
    return { keys: keys.map(({ publicJwk }) => publicJwk) };
  }

  /**
   * Lets the next keys sign and retires those that did; the change and its events commit together.
   *
   * @returns the `kid`s that sign from now on
   * @throws RecordConflict when another process changed the keys at the same time: it has done the work
   */
  async rotate(): Promise<string[]> {
    await this.ensure();
    const ring = await this.records.get(this.#kinds.ring, ringId);
    const nowMs = this.clock.nowMs();
    const fresh = await Promise.all(
      this.#algorithms.map((alg) => generateSigningKey(this.kek, this.#kinds.key.name, alg, 'next', nowMs)),
    );
    return this.records.transaction(async (transaction) => {
      await this.#claimRing(transaction, ring?.version ?? 0);
      const retiring = await this.#keysIn(transaction, 'active');
      const activated = inOrder(await this.#keysIn(transaction, 'next'));
      const expiresAtMs = nowMs + this.options.overlapSeconds * 1000;
      for (const key of retiring.map((old): SigningKey => ({
        ...old,
        state: 'retired',
        stateSinceMs: nowMs,
      }))) {
        await transaction.put(this.#kinds.key, key.kid, key, { expiresAtMs });
      }
      for (const key of activated.map((old): SigningKey => ({
        ...old,
        state: 'active',
        stateSinceMs: nowMs,
      }))) {
        await transaction.put(this.#kinds.key, key.kid, key);
        await transaction.emit(signingKeysRotated, { kid: key.kid });
      }
      for (const key of fresh) await transaction.put(this.#kinds.key, key.kid, key, { expectedVersion: 0 });
      return activated.map(({ kid }) => kid);
    });
  }

  async #createMissing(): Promise<void> {
    const ring = await this.records.get(this.#kinds.ring, ringId);
    const missing = await this.#missing();
    if (missing.length === 0) return;
    // Making an RSA key takes long; a transaction must not wait for it.
    const made = await Promise.all(
      missing.map(({ alg, state }) =>
        generateSigningKey(this.kek, this.#kinds.key.name, alg, state, this.clock.nowMs()),
      ),
    );
    await this.records.transaction(async (transaction) => {
      await this.#claimRing(transaction, ring?.version ?? 0);
      for (const key of made) await transaction.put(this.#kinds.key, key.kid, key, { expectedVersion: 0 });
    });
  }

  async #missing(): Promise<{ alg: SigningAlgorithm; state: 'active' | 'next' }[]> {
    const found = [
      ...(await this.#keysIn(this.records, 'active')),
      ...(await this.#keysIn(this.records, 'next')),
    ];
    const wanted = this.#algorithms.flatMap((alg) =>
      (['active', 'next'] as const).map((state) => ({ alg, state })),
    );
    return wanted.filter(({ alg, state }) => !found.some((key) => key.alg === alg && key.state === state));
  }

  async #claimRing(transaction: RecordTransaction, expectedVersion: number): Promise<void> {
    await transaction.put(this.#kinds.ring, ringId, { changedAtMs: this.clock.nowMs() }, { expectedVersion });
  }

  async #keysIn(records: RecordReader, state: SigningKey['state']): Promise<SigningKey[]> {
    const found = await records.list(this.#kinds.key, { where: { state }, limit: maxKeys });
    return found.map(({ value }) => value);
  }

  async #unseal(key: SigningKey): Promise<PrivateJwk> {
    const bytes = await open(this.kek, key.sealedPrivateJwk, sealingContext(this.#kinds.key.name, key.kid));
    const members = JSON.parse(Buffer.from(bytes).toString()) as JWK;
    return { ...members, kid: key.kid, alg: key.alg, use: 'sig' };
  }
}

function inOrder(keys: SigningKey[]): SigningKey[] {
  return keys.toSorted(
    (one, other) => signingAlgorithms.indexOf(one.alg) - signingAlgorithms.indexOf(other.alg),
  );
}
