import { ServerAddressError, serverAddresses } from './server-addresses.js';

const pair = { NATS_CERT_FILE: '/run/nats.pem', NATS_KEY_FILE: '/run/nats.key' };

describe('serverAddresses', () => {
  it.each(['NATS_CERT_FILE', 'NATS_KEY_FILE'] as const)(
    'refuses to show NATS a certificate by half: %s alone',
    (name) => {
      const addresses = (): unknown => serverAddresses({ [name]: pair[name] });
      expect(addresses).toThrow(ServerAddressError);
      expect(addresses).toThrow('NATS_CERT_FILE: ');
    },
  );

  it('takes a certificate with its key, or neither', () => {
    expect(serverAddresses(pair)).toMatchObject(pair);
    expect(serverAddresses({})).toMatchObject({ NATS_CERT_FILE: undefined, NATS_KEY_FILE: undefined });
  });
});
