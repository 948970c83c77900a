import { generateKeyPairSync } from 'node:crypto';
import { testKeys } from '@behalf/testing';
import { addKey } from './add-key.js';
import { AgentRefusal } from './agent-refusal.js';
import { agentsFixture, publicKey } from './agents.fixture.js';
import { removeKey } from './remove-key.js';

const rsa = (bits: number, e = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength: bits, publicExponent: e }).publicKey.export({ format: 'jwk' });
const refusal = (kind: string) => ({ name: 'AgentRefusal', reason: { kind } });
const id = 'https://as.example/agents/reporter';

describe('the keys of an agent', () => {
  it.each<[string, () => Promise<Record<string, unknown>>]>([
    ['a private key', async () => ({ ...(await testKeys()).privateJwk })],
    ['a private RSA exponent only', async () => ({ ...rsa(2048), dp: 'AQ' })],
    ['a symmetric key', async () => ({ kty: 'oct', k: 'c2VjcmV0' })],
    ['a symmetric key in disguise', async () => ({ ...(await publicKey()), k: 'c2VjcmV0' })],
    ['an RSA key of 1024 bits', async () => ({ ...rsa(1024) })],
    ['an RSA key with the exponent 3', async () => ({ ...rsa(2048, 3) })],
    ['a curve that is not verified with here', async () => ({ ...(await publicKey()), crv: 'P-384' })],
    ['a point that is not on the curve', async () => ({ ...(await publicKey()), x: 'AAAA', y: 'AAAA' })],
    ['a key for encryption', async () => ({ ...(await publicKey()), use: 'enc' })],
    ['alg none', async () => ({ ...(await publicKey()), alg: 'none' })],
    ['a symmetric alg', async () => ({ ...(await publicKey()), alg: 'HS256' })],
    ['the alg of another type of key', async () => ({ ...(await publicKey()), alg: 'RS256' })],
    ['a kid that is no text', async () => ({ ...(await publicKey()), kid: { $ne: '' } })],
    ['a kid with a line break', async () => ({ ...(await publicKey()), kid: 'a\nb' })],
    ['no key at all', async () => ({})],
  ])('are not %s, neither first nor second', async (_title, key) => {
    const fixture = agentsFixture();
    await expect(fixture.create({ jwks: { keys: [await key()] } })).rejects.toMatchObject({
      reason: { kind: 'key_unacceptable' },
    });
    await fixture.create();
    await expect(addKey({ id }, await key(), fixture.act(), fixture.dependencies)).rejects.toMatchObject({
      reason: { kind: 'key_unacceptable' },
    });
    expect(fixture.events()).toEqual(['behalf.agent.created']);
  });

  it('are kept as public members only, under their thumbprint if they have no kid', async () => {
    const key = {
      ...(await publicKey()),
      x5u: 'https://evil.example',
      jku: 'https://evil.example',
      x5c: ['x'],
    };
    const { jwks } = await agentsFixture().create({ jwks: { keys: [key] } });
    expect(Object.keys(jwks!.keys[0]!).sort()).toEqual(['crv', 'kid', 'kty', 'use', 'x', 'y']);
    expect(jwks!.keys[0]!.kid).toMatch(/^[\w-]{43}$/);
  });

  it('may be RSA or Ed25519, too', async () => {
    const ed = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    await expect(agentsFixture().create({ jwks: { keys: [ed, rsa(2048)] } })).resolves.toBeDefined();
  });

  it('are two at most: the next beside the one in use, and the old one goes first', async () => {
    const fixture = agentsFixture();
    const { dependencies, act } = fixture;
    const three = [await publicKey(), await publicKey(), await publicKey()];
    await expect(fixture.create({ jwks: { keys: three } })).rejects.toMatchObject(refusal('too_many_keys'));
    const [first] = (await fixture.create({ jwks: { keys: [three[0]] } })).jwks!.keys;
    expect((await addKey({ id }, three[1]!, act(), dependencies)).jwks!.keys).toHaveLength(2);
    const third = () => addKey({ id }, three[2]!, act(), dependencies);
    await expect(third()).rejects.toMatchObject(refusal('too_many_keys'));
    await removeKey({ id }, first!.kid, act(), dependencies);
    expect((await third()).jwks!.keys).toHaveLength(2);
  });

  it('are two at most when two are added at once', async () => {
    const fixture = agentsFixture();
    const { dependencies, act } = fixture;
    await fixture.create();
    const both = await Promise.allSettled(
      [await publicKey(), await publicKey()].map((key) => addKey({ id }, key, act(), dependencies)),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('differ, in material and in name', async () => {
    const fixture = agentsFixture();
    const { dependencies, act } = fixture;
    const key = { ...(await publicKey()), kid: 'one' };
    await fixture.create({ jwks: { keys: [key] } });
    for (const same of [
      { ...key, kid: 'two' },
      { ...(await publicKey()), kid: 'one' },
    ]) {
      await expect(addKey({ id }, same, act(), dependencies)).rejects.toMatchObject(refusal('key_known'));
    }
  });

  it('are never none', async () => {
    const fixture = agentsFixture();
    const { dependencies, act } = fixture;
    const { jwks } = await fixture.create();
    const remove = (kid: string) => removeKey({ id }, kid, act(), dependencies);
    await expect(remove('unknown')).rejects.toMatchObject(refusal('key_unknown'));
    await expect(remove(jwks!.keys[0]!.kid)).rejects.toMatchObject(refusal('last_key'));
  });

  it.each<[string, (key: Record<string, unknown>) => unknown, string]>([
    ['is unreachable', () => Promise.reject(new Error('forbidden_address')), 'jwks_uri_unusable'],
    ['is no key set', () => [], 'jwks_uri_unusable'],
    ['is empty', () => ({ keys: [] }), 'jwks_uri_unusable'],
    ['holds a private key', (key) => ({ keys: [{ ...key, d: 'AQ' }] }), 'key_unacceptable'],
  ])('at a jwks_uri are refused when it %s', async (_title, document, kind) => {
    const fixture = agentsFixture();
    const key = await publicKey();
    fixture.dependencies.resolveKeySet = async () => document(key);
    const creating = fixture.create({ jwks: undefined, jwksUri: 'https://agent.example/jwks' });
    await expect(creating).rejects.toMatchObject(refusal(kind));
  });

  it('at a jwks_uri are changed there', async () => {
    const fixture = agentsFixture();
    const { dependencies, act } = fixture;
    const key = await publicKey();
    dependencies.resolveKeySet = async () => ({ keys: [key] });
    const agent = await fixture.create({ jwks: undefined, jwksUri: 'https://agent.example/jwks' });
    expect(agent).toMatchObject({ jwksUri: 'https://agent.example/jwks' });
    for (const change of [
      addKey({ id }, key, act(), dependencies),
      removeKey({ id }, 'k', act(), dependencies),
    ]) {
      await expect(change).rejects.toEqual(new AgentRefusal({ kind: 'keys_are_not_here' }));
    }
  });
});
