import { metrics } from '@opentelemetry/api';
import type { ExchangeSource } from '@behalf/token-exchange';

/**
 * What the cache tells of itself: how exchanges were answered (`behalf.exchange.cache.lookups` by `result`), how old the
 * tokens were that it gave out, and what it dropped and why. Instruments are made on first use: the meter provider is set
 * up after this is loaded.
 */
export class CacheMetrics {
  readonly #meter = metrics.getMeter('behalf');
  readonly #lookups = this.#meter.createCounter('behalf.exchange.cache.lookups', {
    description: 'Exchanges by how they were answered',
  });
  readonly #age = this.#meter.createHistogram('behalf.exchange.cache.age', {
    description: 'Age of the tokens given out again',
    unit: 's',
  });
  readonly #dropped = this.#meter.createCounter('behalf.exchange.cache.dropped', {
    description: 'Entries dropped before their time',
  });

  answered(result: ExchangeSource | 'bypassed'): void {
    this.#lookups.add(1, { result });
  }

  gaveOut(ageSeconds: number): void {
    this.#age.record(ageSeconds);
  }

  dropped(reason: 'revocation' | 'policy' | 'no_longer_good', count = 1): void {
    if (count > 0) this.#dropped.add(count, { reason });
  }
}
