import { freePort } from '@behalf/testing';
import { metrics } from '@opentelemetry/api';
import { startMetrics } from './index.js';

it('serves what was recorded to Prometheus, on a port of its own, and frees it', async () => {
  const port = await freePort();
  const started = await startMetrics({ serviceName: 'test', host: '127.0.0.1', port });
  metrics.getMeter('test').createCounter('behalf.test.things').add(2, { kind: 'one' });
  const read = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(read).toMatch(/behalf_test_things_total\{kind="one".*\} 2/);
  expect(read).toContain('behalf_event_loop_delay_p99');
  await started.stop();
  await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow('fetch failed');
});
