import { tokenTypes } from '@behalf/oauth';
import { exchangeFixture, gatewayClient, subjectClaims } from './exchange.fixture.js';

const handedOver = { sub: 'gateway', cnf: { jkt: 'gateway-key' } };

describe('the binding of tokens through an exchange', () => {
  it('RFC 9449 §7: takes a bound subject token with proof of its key, and binds what it issues to that key', async () => {
    const fixture = exchangeFixture({ subject: subjectClaims({ cnf: { jkt: 'k' } }) });
    expect((await fixture.issued({}, gatewayClient, { jkt: 'k' })).cnf).toEqual({ jkt: 'k' });
    expect((await fixture.exchange({}, gatewayClient, { jkt: 'k' })).token_type).toBe('DPoP');
  });

  it('RFC 8705 §3: does the same for certificates, whose tokens are Bearer by name', async () => {
    const proof = { 'x5t#S256': 'c' };
    const fixture = exchangeFixture({ subject: subjectClaims({ cnf: proof }) });
    expect((await fixture.issued({}, gatewayClient, proof)).cnf).toEqual(proof);
    expect((await fixture.exchange({}, gatewayClient, proof)).token_type).toBe('Bearer');
  });

  it('takes a token that hands itself over to a key, with proof of that key and bound to it from then on', async () => {
    const fixture = exchangeFixture({ subject: subjectClaims({ cnf: { jkt: 'k' }, may_act: handedOver }) });
    expect((await fixture.issued({}, gatewayClient, { jkt: 'gateway-key' })).cnf).toEqual({
      jkt: 'gateway-key',
    });
  });

  it('binds what it issues to a proven key also when the subject token was bound to none', async () => {
    expect((await exchangeFixture().issued({}, gatewayClient, { jkt: 'mine' })).cnf).toEqual({ jkt: 'mine' });
  });

  it.each<[string, unknown, unknown, object | undefined]>([
    ['without a proof', { jkt: 'k' }, undefined, undefined],
    ['with another key', { jkt: 'k' }, undefined, { jkt: 'thief' }],
    ['with a key where a certificate is named', { 'x5t#S256': 'k' }, undefined, { jkt: 'k' }],
    ['with one of two keys', { jkt: 'k', 'x5t#S256': 'c' }, undefined, { jkt: 'k' }],
    ['with another key than it is handed over to', { jkt: 'k' }, handedOver, { jkt: 'thief' }],
    ['handed over to no key', { jkt: 'k' }, { sub: 'gateway' }, { jkt: 'gateway-key' }],
    ['handed over to a key in an unknown form', { jkt: 'k' }, { sub: 'gateway', cnf: {} }, { jkt: 'x' }],
    ['bound in a form that is not understood', { jwk: {} }, undefined, { jkt: 'k' }],
    ['bound to nothing, by an empty claim', {}, undefined, { jkt: 'k' }],
  ])('refuses a stolen bound token presented %s', async (_title, cnf, mayAct, proof) => {
    const fixture = exchangeFixture({ subject: subjectClaims({ cnf, may_act: mayAct }) });
    await expect(fixture.exchange({}, gatewayClient, proof)).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(fixture.recorded).toMatchObject([{ details: { reason: 'subject_key_unproven' } }]);
  });

  it('refuses a key that may_act names when somebody else than its actor presents it', async () => {
    const mayAct = { sub: 'other', cnf: { jkt: 'gateway-key' } };
    const fixture = exchangeFixture({ subject: subjectClaims({ cnf: { jkt: 'k' }, may_act: mayAct }) });
    await expect(fixture.exchange({}, gatewayClient, { jkt: 'gateway-key' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(fixture.recorded).toMatchObject([{ details: { reason: 'actor_not_named_by_may_act' } }]);
  });

  it('holds a bound actor token to its key as well, and no hand-over helps there', async () => {
    const actor = { sub: 'gateway', client_id: 'gateway', cnf: { jkt: 'k' }, may_act: handedOver };
    const fixture = exchangeFixture({ subject: subjectClaims(), actor: subjectClaims(actor) });
    const parameters = { actor_token: 'actor', actor_token_type: tokenTypes.accessToken };
    expect((await fixture.issued(parameters, gatewayClient, { jkt: 'k' })).cnf).toEqual({ jkt: 'k' });
    await expect(fixture.exchange(parameters, gatewayClient, { jkt: 'gateway-key' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(fixture.recorded.at(-1)).toMatchObject({ details: { reason: 'actor_key_unproven' } });
  });
});
