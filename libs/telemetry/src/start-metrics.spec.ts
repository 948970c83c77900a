import { setImmediate as turn } from 'node:timers/promises';
import { freePort, readMetrics, sumOf } from '@behalf/testing';
import { metrics } from '@opentelemetry/api';
import { startMetrics } from './index.js';

const watchedEveryMs = 10;
const blockedMs = 700;

/** Keeps the event loop for that long, and lets it run the timers that have come due: they do between two turns. */
async function block(ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until);
  await turn();
  await turn();
}

describe('what a process measures', () => {
  let port: number;
  let started: Awaited<ReturnType<typeof startMetrics>>;
  beforeEach(async () => {
    port = await freePort();
    started = await startMetrics({ serviceName: 'test', host: '127.0.0.1', port });
  });

  it('is served to Prometheus on a port of its own, which is freed at the end', async () => {
    metrics.getMeter('test').createCounter('behalf.test.things').add(2, { kind: 'one' });
    expect(sumOf(await readMetrics(port), 'behalf_test_things_total', { kind: 'one' })).toBe(2);
    await started.stop();
    await expect(readMetrics(port)).rejects.toThrow('fetch failed');
  });

  it('is how late its event loop was since the last reading, in seconds', async () => {
    const delay = async (): Promise<number> =>
      sumOf(await readMetrics(port), 'behalf_event_loop_delay_p99', { service_name: 'test' }) ?? NaN;
    await delay();
    // A reading begins anew: what is late is so by the timer that ran before it.
    await block(2 * watchedEveryMs);
    await block(blockedMs);
    const blocked = await delay();
    expect(blocked).toBeGreaterThan((blockedMs / 1000) * 0.8);
    expect(blocked).toBeLessThan(blockedMs);
    expect(await delay()).toBeLessThan(blocked);
    await started.stop();
  });
});
