import { handOver } from './index.js';

const handsOverTo = { clientId: 'gateway', jkt: 'key' };

describe('handOver', () => {
  it('RFC 8693 §4.4: names the client and the key that go on with a token which is bound to a certificate', () => {
    const mayAct = { sub: 'gateway', iss: 'https://as.example', cnf: { jkt: 'key' } };
    for (const cnf of [{ 'x5t#S256': 'c' }, { 'x5t#S256': 'c', jkt: 'd' }])
      expect(handOver({ handsOverTo }, cnf, 'https://as.example')).toEqual(mayAct);
  });

  it('names nobody for other tokens, nor where the operator named nobody', () => {
    for (const cnf of [undefined, { jkt: 'd' }])
      expect(handOver({ handsOverTo }, cnf, 'https://as.example')).toBeUndefined();
    expect(handOver({}, { 'x5t#S256': 'c' }, 'https://as.example')).toBeUndefined();
  });
});
