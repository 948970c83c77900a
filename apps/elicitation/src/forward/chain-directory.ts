import { describeChain } from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import type { Bus } from '@behalf/ports';
import type { AccessTokenClaims } from '@behalf/resource-server';
import { LRUCache } from 'lru-cache';

const timeoutMs = 3_000;
/** Names change; who began a chain does not. */
const keptMs = 5 * 60 * 1000;
const maxKept = 10_000;

interface DescribedChain {
  client: string;
  names: Record<string, string>;
}

/** Who began a chain, and what its members call themselves, by the authorization server's word. */
export class ChainDirectory {
  readonly #known = new LRUCache<string, DescribedChain>({ max: maxKept, ttl: keptMs });

  constructor(private readonly bus: Bus) {}

  /** @throws OAuthError `temporarily_unavailable` */
  async describe(
    { grant_id: grantId, client_id: clientId }: Pick<AccessTokenClaims, 'grant_id' | 'client_id'>,
    actors: readonly string[],
  ): Promise<DescribedChain> {
    const key = JSON.stringify([grantId, clientId, actors]);
    const known = this.#known.get(key);
    if (known) return known;
    const question = { ...(grantId !== undefined && { grantId }), clientId, actors: [...actors] };
    const described = await this.bus
      .request(describeChain, question, { timeoutMs })
      .catch((cause: unknown) => {
        throw new OAuthError('temporarily_unavailable', 'the authorization server cannot be asked now', {
          cause,
          retryAfterSeconds: 1,
        });
      });
    this.#known.set(key, described);
    return described;
  }
}
