import type { Revocation } from '@behalf/contracts';
import { revocationKeys } from '@behalf/revocation';
import { openUnderKey, sealUnderKey } from '@behalf/sealing';
import type {
  ExchangeRequest,
  LentToken,
  LentTokenCache as LentTokenCachePort,
} from '@behalf/token-exchange';
import { LRUCache } from 'lru-cache';
import { entryKeys } from './entry-keys.js';
import { PolicyInForce } from './policy-in-force.js';

interface Kept {
  sealed: Uint8Array;
  account: string;
  /** By what it can be revoked. */
  ties: string[];
}

/** Accounts whose end is remembered, for what is on its way meanwhile. */
const maxEndings = 10_000;

/**
 * Keeps tokens that third parties' vault gave out, in this process alone, for who presents the same token with the same
 * request. Sealed under the presented token. An entry ends with its account, with the person's consent, by revocation and
 * by another policy, each by its event, and after a minute in any case: an event that is lost costs no more than that.
 */
export class LentTokenCache implements LentTokenCachePort {
  readonly #kept: LRUCache<string, Kept>;
  readonly #policies = new PolicyInForce(() => this.#kept.clear());
  /** When each account last changed, counted in changes. */
  readonly #changes = new LRUCache<string, number>({
    max: maxEndings,
    dispose: (change, _account, reason) => {
      if (reason === 'evict') this.#forgottenUpTo = change;
    },
  });
  #changed = 0;
  #forgottenUpTo = 0;

  constructor({ maxEntries }: { maxEntries: number }) {
    this.#kept = new LRUCache({ max: maxEntries });
  }

  async through(
    request: ExchangeRequest,
    lend: () => Promise<LentToken>,
    isStillGood: (lent: LentToken) => Promise<boolean>,
  ): Promise<{ lent: LentToken; isKept: boolean }> {
    const keys = entryKeys(request);
    if (!keys) return { lent: await lend(), isKept: false };
    const { place, key } = keys;
    const kept = this.#kept.get(place);
    const found = kept && openOrNone(key, kept.sealed);
    if (found && this.#policies.isInForce(found.policyVersion) && (await isStillGood(found)))
      return { lent: found, isKept: true };
    this.#kept.delete(place);
    const begun = this.#changed;
    const lent = await lend();
    const account = accountOf(lent.person, lent.provider);
    // The attack: the account is disconnected after the vault was asked, and its token is kept after that was told.
    const isUnchanged = Math.max(this.#forgottenUpTo, this.#changes.get(account) ?? 0) <= begun;
    if (
      lent.keptUntilSeconds > request.nowSeconds &&
      isUnchanged &&
      this.#policies.learn(lent.policyVersion)
    ) {
      const sealed = sealUnderKey(key, JSON.stringify(lent));
      this.#kept.set(place, { sealed, account, ties: lent.ties.flatMap(revocationKeys) });
    }
    return { lent, isKept: false };
  }

  /** Something about a person's account changed: it was refreshed, it ended, or somebody may use it no more. */
  dropAccount(person: string, provider: string): void {
    const account = accountOf(person, provider);
    this.#changes.set(account, (this.#changed += 1));
    this.#dropWhere((kept) => kept.account === account);
  }

  /** Drops what the revocation can touch. */
  dropRevoked({ kind, id }: Pick<Revocation, 'kind' | 'id'>): void {
    const key = `${kind}:${id}`;
    this.#dropWhere(({ ties }) => ties.includes(key));
  }

  policyChanged(version: string): void {
    this.#policies.announce(version);
  }

  #dropWhere(matches: (kept: Kept) => boolean): void {
    const places = [...this.#kept].filter(([, kept]) => matches(kept)).map(([place]) => place);
    places.forEach((place) => this.#kept.delete(place));
  }
}

function accountOf(person: string, provider: string): string {
  return JSON.stringify([person, provider]);
}

/** An entry that does not open is as if it were not there. */
function openOrNone(key: Uint8Array, sealed: Uint8Array): LentToken | undefined {
  try {
    return JSON.parse(openUnderKey(key, sealed)) as LentToken;
  } catch {
    return undefined;
  }
}
