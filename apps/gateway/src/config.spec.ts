import { generateKeyPairSync } from 'node:crypto';
import { parseConfig } from '@behalf/config';
import { calculateJwkThumbprint } from 'jose';
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
  return Buffer.from(gatewaySettings(config, {}).sharedSecrets(purpose)()[0] ?? '').toString('hex');
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

describe('the DPoP key of the gateway', () => {
  const privateJwk = (namedCurve: string) =>
    generateKeyPairSync('ec', { namedCurve }).privateKey.export({ format: 'jwk' });
  const settingsWith = (jkt: string, KEY?: string) =>
    gatewaySettings(
      parseConfig(
        {
          authorizationServer: { signIn: { method: 'local', users: [] } },
          policy: { policies: 'policies' },
          gateway: { clientId: 'gateway', upstreams: {}, dpop: { key: { privateKeyEnv: 'KEY', jkt } } },
        },
        {},
      ),
      { KEY },
    );

  it('is the one that tokens are handed over to', async () => {
    const jwk = privateJwk('P-256');
    const { dpopKey } = settingsWith(await calculateJwkThumbprint(jwk), JSON.stringify(jwk));
    expect(dpopKey?.export({ format: 'jwk' })).toEqual(jwk);
  });

  it.each([
    ['another key', JSON.stringify(privateJwk('P-256'))],
    ['a key of another kind', JSON.stringify(privateJwk('P-384'))],
    ['no key', undefined],
    ['what is no JSON', 'secret'],
  ])('is not %s, which nobody is told', async (_title, text) => {
    const jkt = await calculateJwkThumbprint(privateJwk('P-256'));
    const start = (): unknown => settingsWith(jkt, text);
    expect(start).toThrow(/^gateway\.dpop\.key: KEY must hold/);
    expect(start).not.toThrow(/secret|"d"/);
  });
});
