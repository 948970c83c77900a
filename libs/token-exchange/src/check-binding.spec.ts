import { tokenTypes } from '@behalf/oauth';
import {
  exchangeFixture,
  gatewayClient,
  gatewayResource,
  now,
  parameters,
  subjectClaims,
  upstreamResource,
} from './exchange.fixture.js';
import { exchangeToken } from './exchange-token.js';
import type { ExchangeRequest, TokenClaims } from './ports.js';

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

  describe('handed on by the resource that the key was proved at', () => {
    const cnf = { jkt: 'editor-key' };
    const relayedProof = { jkt: 'editor-key', url: gatewayResource };
    const exchange = (changes: Partial<ExchangeRequest>, subject: Partial<TokenClaims> = {}) => {
      const fixture = exchangeFixture({ subject: subjectClaims({ cnf, ...subject }) });
      const request = { client: gatewayClient, parameters, proof: { jkt: 'gateway-key' }, nowSeconds: now };
      const done = exchangeToken({ ...request, relayedProof, ...changes }, fixture.dependencies);
      return { done, fixture };
    };

    it('RFC 9449 §7: takes the token, and binds what it issues to the key of the resource', async () => {
      const issued = await exchange({}).done;
      expect(issued.token_type).toBe('DPoP');
      expect(JSON.parse(issued.access_token)).toMatchObject({ cnf: { jkt: 'gateway-key' } });
    });

    it.each<[string, Partial<ExchangeRequest>, Partial<TokenClaims>?]>([
      ['made with another key', { relayedProof: { ...relayedProof, jkt: 'thief' } }],
      ['made for another resource', { relayedProof: { ...relayedProof, url: upstreamResource } }],
      [
        'made for a place that is no resource',
        { relayedProof: { ...relayedProof, url: 'https://x.example' } },
      ],
      ['by a client that proves no key', { proof: undefined }],
      ['by a client that proves a certificate only', { proof: { 'x5t#S256': 'c' } }],
      ['by a client that does not serve the resource', { client: { ...gatewayClient, clientId: 'editor' } }],
      ['for a token that is for another resource', {}, { aud: upstreamResource, client_id: 'gateway' }],
      ['for a token that is for no resource of ours', {}, { aud: 'https://x.example', client_id: 'gateway' }],
      ['for a token that is bound to a certificate, too', {}, { cnf: { ...cnf, 'x5t#S256': 'c' } }],
      ['for a token that is bound in an unknown form', {}, { cnf: { jwk: {} } }],
    ])('refuses a stolen bound token with a proof %s', async (_title, changes, subject = {}) => {
      const { done, fixture } = exchange(changes, subject);
      await expect(done).rejects.toMatchObject({ code: 'invalid_request' });
      expect(fixture.recorded).toMatchObject([{ details: { reason: 'subject_key_unproven' } }]);
    });

    it('RFC 9449 §7: is no proof of anything but an access token of ours, which it was made with', async () => {
      const { fixture, done } = exchange({});
      await done;
      fixture.dependencies.verifyIdToken = async () => subjectClaims({ cnf, client_id: 'gateway' });
      const form = { ...parameters, subject_token_type: tokenTypes.idToken };
      const proof = { jkt: 'gateway-key' };
      const request = { client: gatewayClient, parameters: form, proof, relayedProof, nowSeconds: now };
      await expect(exchangeToken(request, fixture.dependencies)).rejects.toMatchObject({
        code: 'invalid_request',
      });
      expect(fixture.recorded.at(-1)).toMatchObject({ details: { reason: 'subject_key_unproven' } });
    });

    it('is no proof of an actor token’s key', async () => {
      const actor = { sub: 'gateway', client_id: 'gateway', cnf };
      const fixture = exchangeFixture({ subject: subjectClaims({ cnf }), actor: subjectClaims(actor) });
      const form = { ...parameters, actor_token: 'actor', actor_token_type: tokenTypes.accessToken };
      const proof = { jkt: 'gateway-key' };
      const request = { client: gatewayClient, parameters: form, proof, relayedProof, nowSeconds: now };
      await expect(exchangeToken(request, fixture.dependencies)).rejects.toMatchObject({
        code: 'invalid_request',
      });
      expect(fixture.recorded).toMatchObject([{ details: { reason: 'actor_key_unproven' } }]);
    });
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
    const form = { actor_token: 'actor', actor_token_type: tokenTypes.accessToken };
    expect((await fixture.issued(form, gatewayClient, { jkt: 'k' })).cnf).toEqual({ jkt: 'k' });
    await expect(fixture.exchange(form, gatewayClient, { jkt: 'gateway-key' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(fixture.recorded.at(-1)).toMatchObject({ details: { reason: 'actor_key_unproven' } });
  });
});
