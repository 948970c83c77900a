import { listRevocations } from '@behalf/contracts';
import { decodeProtectedHeader } from 'jose';
import { basic, files, TestServer } from './test-server.js';

const operator = basic('operator', 'operator-secret');

describe('administration', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.start();
  });
  afterEach(() => server.close());

  const adminToken = async (): Promise<string> =>
    (await server.token({ grant_type: 'client_credentials', resource: `${server.issuer}/admin` }, operator))
      .body.access_token;
  const rotate = (token: string) =>
    fetch(`${server.issuer}/admin/signing-keys/rotate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
  const publishedKids = async (): Promise<string[]> => {
    const { keys } = (await (await fetch(`${server.issuer}/jwks`)).json()) as { keys: { kid: string }[] };
    return keys.map(({ kid }) => kid);
  };

  it('rotates the signing keys: new tokens use the next key, old ones verify until the overlap ends', async () => {
    const before = (await server.signIn()).access_token;
    const response = await rotate(await adminToken());
    expect(response.status).toBe(200);
    const { kids } = (await response.json()) as { kids: string[] };

    const after = (await server.signIn()).access_token;
    const [oldKid, newKid] = [decodeProtectedHeader(before).kid, decodeProtectedHeader(after).kid];
    expect(newKid).not.toBe(oldKid);
    expect(kids).toContain(newKid);
    expect(await publishedKids()).toEqual(expect.arrayContaining([oldKid, newKid]));
    await server.claims(before);
    await server.claims(after);
    expect(await server.introspect(before, basic('gateway', 'gateway-secret'))).toMatchObject({
      active: true,
    });

    server.clock.advanceSeconds(1_801);
    expect(await publishedKids()).not.toContain(oldKid);
    expect(server.audit).toContainEqual(
      expect.objectContaining({ type: 'key-rotation', client: 'operator' }),
    );
  });

  it('the new key was published before it signed', async () => {
    const before = await publishedKids();
    await rotate(await adminToken());
    const { access_token: token } = await server.signIn();
    expect(before).toContain(decodeProtectedHeader(token).kid);
  });

  it('takes a rotation by another process from the bus', async () => {
    const { SigningKeys } = await import('@behalf/signing-keys');
    const { SIGNING_KEYS } = await import('../src/tokens.js');
    const before = decodeProtectedHeader((await server.signIn()).access_token).kid;
    await server.service.app.get<InstanceType<typeof SigningKeys>>(SIGNING_KEYS).rotate();
    let after = before;
    for (let attempt = 0; attempt < 50 && after === before; attempt++) {
      after = decodeProtectedHeader((await server.signIn()).access_token).kid;
    }
    expect(after).not.toBe(before);
  });

  it.each([
    ['no token', undefined, 401],
    ["a person's token for another resource", 'person', 401],
    ['garbage', 'garbage', 401],
  ])('refuses %s', async (_case, which, status) => {
    const token = which === 'person' ? (await server.signIn()).access_token : which;
    const response = await fetch(`${server.issuer}/admin/signing-keys/rotate`, {
      method: 'POST',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await response.json()).toMatchObject({ error: 'invalid_token' });
  });

  it('refuses a token that was revoked', async () => {
    const token = await adminToken();
    await server.post('/revoke', { token }, operator);
    expect((await rotate(token)).status).toBe(401);
  });

  it('shows the latest audit records', async () => {
    await server.signIn();
    const response = await fetch(`${server.issuer}/admin/audit`, {
      headers: { authorization: `Bearer ${await adminToken()}` },
    });
    const { records } = (await response.json()) as { records: { type: string }[] };
    const types = records.slice(0, 4).map(({ type }) => type);
    expect(types).toEqual(['client-credentials', 'token', 'consent', 'sign-in']);
  });
});

describe('behalf.authorization.revocations.list', () => {
  it('answers with everything that is revoked and could still be presented', async () => {
    const server = await TestServer.start();
    const { refresh_token: token } = await server.signIn();
    await server.post('/revoke', { token }, basic('web-app', 'web-app-secret'));
    const ask = () => server.bus.request(listRevocations, {}, { timeoutMs: 1_000 });
    const { revocations } = await ask();
    expect(revocations).toEqual([expect.objectContaining({ kind: 'grant' })]);
    expect(revocations[0]?.expiresAtMs).toBeGreaterThan(server.clock.nowMs() + 900_000);
    server.clock.advanceSeconds(1_801);
    expect(await ask()).toMatchObject({ revocations: [], more: false });
    await server.close();
  });

  it('refuses a malformed message', async () => {
    const server = await TestServer.start();
    const asking = server.bus.request(listRevocations, 'everything' as never, { timeoutMs: 1_000 });
    await expect(asking).rejects.toMatchObject({ reason: 'malformed_request' });
    await server.close();
  });

  it('is what other programs learn of at once: the event is out when the revocation is answered', async () => {
    const server = await TestServer.start();
    const { access_token: token } = await server.signIn({ resource: files });
    await server.post('/revoke', { token }, basic('web-app', 'web-app-secret'));
    expect((await server.outbox()).map(({ type }) => type)).toContain('behalf.revocation.created');
    await server.close();
  });
});
