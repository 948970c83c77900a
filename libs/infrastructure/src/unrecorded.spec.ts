import { configSchema } from '@behalf/config';
import { startMetrics } from '@behalf/telemetry';
import { freePort, readMetrics, sumOf } from '@behalf/testing';
import { unrecordedBy } from './unrecorded.js';

const goesOn = (onFailure: object, type: string): boolean =>
  unrecordedBy('test', configSchema.shape.audit.parse({ onFailure }).onFailure, {
    error: () => {},
  }).mayGoUnrecorded({
    type,
    outcome: 'allowed',
    occurredAtMs: 1,
  });

describe('what cannot be recorded', () => {
  it.each(['exchange', 'id-jag', 'vault-use', 'third-party-token', 'decision', 'sign-in', 'anything new'])(
    'is refused without a word in the configuration: %s',
    (type) => expect(goesOn({}, type)).toBe(false),
  );

  it('goes on where the configuration says so, and nowhere else', () => {
    expect(goesOn({ decision: 'continue' }, 'decision')).toBe(true);
    expect(goesOn({ decision: 'continue' }, 'exchange')).toBe(false);
    expect(goesOn({ vault: 'continue' }, 'vault-use')).toBe(true);
    expect(goesOn({ exchange: 'continue' }, 'id-jag-redemption')).toBe(true);
    expect(goesOn({ other: 'continue' }, 'agent-change')).toBe(true);
    expect(goesOn({ other: 'continue' }, 'vault-use')).toBe(false);
  });

  it('is counted by service and type where it goes on, from zero', async () => {
    const port = await freePort();
    const measuring = await startMetrics({ serviceName: 'test', host: '127.0.0.1', port });
    const count = async (type: string) =>
      sumOf(await readMetrics(port), 'behalf_audit_unrecorded_total', { service_name: 'policy', type });
    const { onUnrecorded } = unrecordedBy('policy', configSchema.shape.audit.parse({}).onFailure, {
      error: () => {},
    });
    expect([await count('decision'), await count('vault-use')]).toEqual([0, 0]);
    const record = { outcome: 'allowed', occurredAtMs: 1 } as const;
    for (const type of ['decision', 'decision', 'sign-in'])
      onUnrecorded({ type, ...record }, new Error('full'));
    expect([await count('decision'), await count('vault-use'), await count('sign-in')]).toEqual([2, 0, 1]);
    await measuring.stop();
  });
});
