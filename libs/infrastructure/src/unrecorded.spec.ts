import { configSchema } from '@behalf/config';
import { unrecordedBy } from './unrecorded.js';

const goesOn = (onFailure: object, type: string): boolean =>
  unrecordedBy(configSchema.shape.audit.parse({ onFailure }).onFailure, {
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
});
