import type { Revocation } from '@behalf/contracts';
import type { Cache } from '@behalf/ports';
import { revocationKeys } from '@behalf/revocation';
import { openUnderKey, sealUnderKey } from '@behalf/sealing';
import type {
  ExchangeCache as ExchangeCachePort,
  ExchangeOutcome,
  ExchangeRequest,
  ExchangeSource,
  MintedToken,
} from '@behalf/token-exchange';
import { LRUCache } from 'lru-cache';
import { CacheMetrics } from './cache-metrics.js';
import { type EntryKeys, entryKeys } from './entry-keys.js';
import { PolicyInForce } from './policy-in-force.js';
import { SingleFlight } from './single-flight.js';

export interface ExchangeCacheOptions {
  /** Kept in this process; when it is full, the entry used longest ago goes. */
  maxEntries: number;
  /** What processes share. It may lose, delay or fail anything: then it is a miss. */
  shared?: Cache<string> | undefined;
}

interface Kept {
  sealed: Uint8Array;
  /** By what it can be revoked: ids, for which nothing has to be opened. */
  ties: string[];
}

interface Answer {
  outcome: ExchangeOutcome;
  source: ExchangeSource;
}

/** A token is given out again until a quarter of its life is left: who gets it still has to use it. */
const leastShareLeft = 1 / 4;

/**
 * Keeps what exchanges came to. An entry opens for whoever presents the same token with the same request, is never older
 * than anything it came from, and is used only while the policies that permitted it are the ones this process knows to
 * be in force. Refusals are not kept.
 */
export class ExchangeCache implements ExchangeCachePort {
  readonly #kept: LRUCache<string, Kept>;
  readonly #flights = new SingleFlight<Answer>();
  readonly #metrics = new CacheMetrics();
  readonly #policies = new PolicyInForce(() => this.#clear());

  constructor(private readonly options: ExchangeCacheOptions) {
    this.#kept = new LRUCache({ max: options.maxEntries });
  }

  async through(
    request: ExchangeRequest,
    mint: () => Promise<ExchangeOutcome>,
    isStillGood: (minted: MintedToken) => Promise<boolean>,
  ): Promise<Answer> {
    const keys = entryKeys(request);
    if (!keys) {
      this.#metrics.answered('bypassed');
      return { outcome: await mint(), source: 'minted' };
    }
    const { value, isLeader } = await this.#flights.run(keys.place, () =>
      this.#resolve(keys, request.nowSeconds, mint, isStillGood),
    );
    const { outcome } = value;
    // What ended after the leader looked must not reach those who came later.
    if (!isLeader && 'token' in outcome && !(await isStillGood(outcome))) {
      this.#metrics.answered('minted');
      return { outcome: await mint(), source: 'minted' };
    }
    const source = isLeader ? value.source : 'coalesced';
    this.#metrics.answered(source);
    if (source !== 'minted' && 'token' in outcome) {
      this.#metrics.gaveOut(request.nowSeconds - outcome.issuedAtSeconds);
    }
    return { outcome, source };
  }

  /** Drops what the revocation can touch, here and in the shared store. */
  async dropRevoked({ kind, id }: Pick<Revocation, 'kind' | 'id'>): Promise<void> {
    const key = `${kind}:${id}`;
    const places = [...this.#kept].filter(([, { ties }]) => ties.includes(key)).map(([place]) => place);
    this.#metrics.dropped('revocation', places.length);
    await Promise.all(places.map((place) => this.#drop(place)));
  }

  /** From now on these policies decide: what others permitted is not given out again. */
  policyChanged(version: string): void {
    this.#policies.announce(version);
  }

  #clear(): void {
    // Those in the shared store name the version that permitted them.
    this.#metrics.dropped('policy', this.#kept.size);
    this.#kept.clear();
  }

  async #resolve(
    keys: EntryKeys,
    nowSeconds: number,
    mint: () => Promise<ExchangeOutcome>,
    isStillGood: (minted: MintedToken) => Promise<boolean>,
  ): Promise<Answer> {
    const found = await this.#find(keys, nowSeconds);
    if (found) {
      if (await isStillGood(found.outcome)) return found;
      this.#metrics.dropped('no_longer_good');
      await this.#drop(keys.place);
    }
    const outcome = await mint();
    if ('token' in outcome) await this.#keep(keys, outcome, nowSeconds);
    return { outcome, source: 'minted' };
  }

  async #find(
    keys: EntryKeys,
    nowSeconds: number,
  ): Promise<{ outcome: MintedToken; source: ExchangeSource } | undefined> {
    const own = this.#kept.get(keys.place);
    if (own) {
      const minted = this.#open(keys, own.sealed, nowSeconds);
      if (minted) return { outcome: minted, source: 'process' };
      this.#kept.delete(keys.place);
    }
    const encoded = await this.options.shared?.get(keys.place).catch(() => undefined);
    if (encoded === undefined) return undefined;
    const sealed = Buffer.from(encoded, 'base64url');
    const minted = this.#open(keys, sealed, nowSeconds);
    if (!minted) return undefined;
    this.#kept.set(keys.place, { sealed, ties: tiesOf(minted) });
    return { outcome: minted, source: 'shared' };
  }

  #open({ key }: EntryKeys, sealed: Uint8Array, nowSeconds: number): MintedToken | undefined {
    const minted = openOrNone(key, sealed);
    if (!minted) return undefined;
    const { issuedAtSeconds, expiresAtSeconds, policyVersion } = minted;
    const left = (expiresAtSeconds - nowSeconds) / (expiresAtSeconds - issuedAtSeconds);
    return left > leastShareLeft && this.#policies.isInForce(policyVersion) ? minted : undefined;
  }

  async #keep(keys: EntryKeys, minted: MintedToken, nowSeconds: number): Promise<void> {
    // Unless it is known which policies permitted it, nobody could tell when that is over.
    if (!this.#policies.learn(minted.policyVersion)) return;
    const { place, key } = keys;
    const sealed = sealUnderKey(key, JSON.stringify(minted));
    this.#kept.set(place, { sealed, ties: tiesOf(minted) });
    const lifetimeSeconds = minted.expiresAtSeconds - nowSeconds;
    await this.options.shared?.set(place, sealed.toString('base64url'), lifetimeSeconds).catch(() => {});
  }

  async #drop(place: string): Promise<void> {
    this.#kept.delete(place);
    await this.options.shared?.delete(place).catch(() => {});
  }
}

/** An entry that was changed, or put there by somebody else, is as if it were not there. */
function openOrNone(key: Uint8Array, sealed: Uint8Array): MintedToken | undefined {
  try {
    return JSON.parse(openUnderKey(key, sealed)) as MintedToken;
  } catch {
    return undefined;
  }
}

function tiesOf({ ties }: MintedToken): string[] {
  return [...new Set(ties.flatMap(revocationKeys))];
}
