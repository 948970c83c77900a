import { parseConfig } from '@behalf/config';
import { gatewaySettings } from './config.js';

function secretOf(demoClientSecret: string | undefined, purpose: string): string {
  const config = parseConfig(
    {
      authorizationServer: { signIn: { method: 'local', users: [] } },
      policy: { policies: 'policies' },
      gateway: { clientId: 'gateway', upstreams: {}, ...(demoClientSecret && { demoClientSecret }) },
    },
    {},
  );
  return Buffer.from(gatewaySettings(config, {}).sharedSecret(purpose)).toString('hex');
}

describe('gatewaySettings', () => {
  it('has the same secrets in all gateways of one client, one for each purpose', () => {
    expect(secretOf('one', 'a')).toBe(secretOf('one', 'a'));
    expect(secretOf('one', 'a')).not.toBe(secretOf('one', 'b'));
    expect(secretOf('one', 'a')).not.toBe(secretOf('another', 'a'));
  });

  it('takes nothing that everybody could know when there is no client secret', () => {
    expect(secretOf(undefined, 'a')).not.toBe(secretOf(undefined, 'a'));
  });
});
