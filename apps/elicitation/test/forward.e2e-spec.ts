import * as dpop from 'dpop';
import { type ForwardSystem, startForwardSystem } from './forward-system.fixture.js';

let system: ForwardSystem;
let lent: string;
beforeAll(async () => {
  system = await startForwardSystem();
  lent = await system.lend();
}, 60_000);
afterAll(() => system.close());
beforeEach(() => {
  system.seen.length = 0;
  system.asked.length = 0;
  system.audited.length = 0;
  system.decideWith(() => ({ decision: true, context: { id: 'd-1' } }));
  system.answerWith((_request, response) => void response.end('{"ok":true}'));
});

describe('a call that is forwarded', () => {
  it('carries the token of the third party, and gives its answer back without it', async () => {
    system.answerWith((_request, response) => {
      response.writeHead(206, {
        'content-type': 'application/json',
        'set-cookie': 'session=theirs',
        'access-control-allow-origin': '*',
        etag: '"1"',
        connection: 'close, etag',
      });
      response.end('{"login":"alice"}');
    });
    const answer = await system.call(`${system.host}/user?per_page=1`, {
      headers: {
        cookie: 'session=ours',
        accept: 'application/json',
        'x-forwarded-for': '10.0.0.1',
        'x-http-method-override': 'DELETE',
        te: 'trailers',
      },
    });
    expect([answer.status, answer.json()]).toEqual([206, { login: 'alice' }]);
    const [sent] = system.seen;
    expect(sent).toMatchObject({ method: 'GET', url: '/user?per_page=1' });
    expect(sent?.headers).toEqual({
      host: system.host,
      connection: expect.any(String) as string,
      'user-agent': 'behalf',
      accept: 'application/json',
      'accept-encoding': 'identity',
      authorization: `Bearer ${lent}`,
    });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      etag: '"1"',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; sandbox",
      via: '1.1 behalf',
    });
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect(JSON.stringify([answer.headers, answer.text])).not.toContain(lent);
  });

  it('is decided about as it will be made, with the least that it needs, and is in the audit log without its path', async () => {
    await system.call(`${system.host}/files/caf%65/secret%20plan`);
    expect(system.asked).toEqual([
      {
        subject: { type: 'user', id: 'alice', properties: { groups: [] } },
        action: { name: 'forward' },
        resource: { type: 'audience', id: 'https://api.acme.example', properties: { provider: 'acme' } },
        context: {
          actors: [{ sub: 'agent' }],
          client_id: 'agent',
          scope: 'read',
          aud: `${system.publicUrl}/forward/acme`,
          arguments: { method: 'GET', host: system.host, path: '/files/cafe/secret%20plan' },
        },
      },
    ]);
    expect(system.seen[0]?.url).toBe('/files/cafe/secret%20plan');
    expect(system.audited.map(({ type, outcome }) => `${type} ${outcome}`)).toEqual([
      'vault-use allowed',
      'third-party-token allowed',
      'third-party-call allowed',
    ]);
    expect(system.audited.at(-1)).toMatchObject({
      person: 'alice',
      client: 'agent',
      actors: ['agent'],
      decisionId: 'd-1',
      details: { provider: 'acme', method: 'GET', host: system.host, call: '/files/**', scopes: ['read'] },
    });
    expect(JSON.stringify(system.audited)).not.toContain('secret');
  });

  it('takes its body along, and is answered while the answer arrives', async () => {
    const { promise: firstSeen, resolve: seeFirst } = Promise.withResolvers<void>();
    system.answerWith((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        response.write(`got ${body}`);
        // The rest comes only after the caller has seen the beginning.
        void firstSeen.then(() => response.end(', and done'));
      });
    });
    const { text } = await system.raw(`/forward/acme/${system.host}/files/x`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await system.token()}`, 'content-type': 'text/plain' },
      body: 'some words',
      onData: () => seeFirst(),
    });
    expect(text).toBe('got some words, and done');
    expect(system.seen[0]?.headers).toMatchObject({ 'content-type': 'text/plain', 'content-length': '10' });
  });

  it('tells an agent whom to ask, when the person has not connected anything or not for this agent', async () => {
    for (const claims of [{ sub: 'bob' }, { act: { sub: 'another' }, client_id: 'another' }]) {
      const answer = await system.call(`${system.host}/user`, { token: await system.token(claims) });
      expect(answer.status).toBe(403);
      expect(answer.json()).toMatchObject({
        error: 'interaction_required',
        interaction_uri: expect.stringMatching(`^${system.publicUrl}/connect\\?e=`) as string,
        elicitation_uri: expect.stringContaining('/elicitations/') as string,
        expires_in: expect.any(Number) as number,
      });
    }
    expect(system.seen).toEqual([]);
  });
});

describe('who may call', () => {
  const refused = async (claims: Record<string, unknown>) => {
    const answer = await system.call(`${system.host}/user`, { token: await system.token(claims) });
    return `${answer.status} ${String(answer.json()['error'])}`;
  };

  it.each([
    ['the service itself', () => ({ aud: system.publicUrl }), '401 invalid_token'],
    ['another provider', () => ({ aud: `${system.publicUrl}/forward/other` }), '401 invalid_token'],
    [
      'two audiences',
      () => ({ aud: [`${system.publicUrl}/forward/acme`, system.publicUrl] }),
      '401 invalid_token',
    ],
    ['a time that is over', { exp: 1 }, '401 invalid_token'],
    ['no person', { sub: 'agent', act: undefined }, '403 access_denied'],
    ['less than the call needs', { scope: 'forward' }, '403 insufficient_scope'],
    ['a key that is not shown', { cnf: { jkt: 'x'.repeat(43) } }, '401 invalid_token'],
    ['a certificate that is not shown', { cnf: { 'x5t#S256': 'x'.repeat(43) } }, '401 invalid_token'],
    ['a binding that nobody knows', { cnf: { kid: 'x' } }, '401 invalid_token'],
  ])('not with a token for %s', async (_what, claims, expected) => {
    expect(await refused(typeof claims === 'function' ? claims() : claims)).toBe(expected);
    expect(system.seen).toEqual([]);
    expect(system.asked).toEqual([]);
  });

  it('is told what is missing', async () => {
    const path = `/forward/acme/${system.host}/user`;
    const metadata = `resource_metadata="${system.publicUrl}/.well-known/oauth-protected-resource/forward/acme"`;
    const without = await system.raw(path);
    expect([without.status, without.headers['www-authenticate']]).toEqual([401, `Bearer ${metadata}`]);
    const narrow = await system.call(`${system.host}/user`, {
      token: await system.token({ scope: 'forward' }),
    });
    expect(narrow.headers['www-authenticate']).toContain('scope="read"');
    const described = await system.raw('/.well-known/oauth-protected-resource/forward/acme');
    expect(described.json()).toMatchObject({ resource: `${system.publicUrl}/forward/acme` });
    expect((await system.raw('/.well-known/oauth-protected-resource')).json()).toMatchObject({
      resource: system.publicUrl,
    });
  });

  it('proves the key that the token is bound to, for this very call, once', async () => {
    const key = await dpop.generateKeyPair('ES256');
    const token = await system.token({ cnf: { jkt: await dpop.calculateThumbprint(key.publicKey) } });
    const url = `${system.publicUrl}/forward/acme/${system.host}/user`;
    const send = async (proof: string) => {
      const headers = { authorization: `DPoP ${token}`, dpop: proof };
      return (await system.call(`${system.host}/user`, { headers })).status;
    };
    const proof = await dpop.generateProof(key, url, 'GET', undefined, token);
    expect(await send(proof)).toBe(200);
    expect(system.seen[0]?.headers).not.toHaveProperty('dpop');
    expect(await send(proof)).toBe(401);
    expect(await send(await dpop.generateProof(key, `${url}s`, 'GET', undefined, token))).toBe(401);
    expect(await send(await dpop.generateProof(key, url, 'POST', undefined, token))).toBe(401);
    const thief = await dpop.generateKeyPair('ES256');
    expect(await send(await dpop.generateProof(thief, url, 'GET', undefined, token))).toBe(401);
    expect(system.seen).toHaveLength(1);
  });

  it('not against the policy, nor under a condition that is not known here, nor without an answer', async () => {
    system.decideWith(() => ({ decision: false, context: { id: 'd-2', reason: 'forbidden' } }));
    const denied = await system.call(`${system.host}/user`);
    expect([denied.status, denied.json()]).toMatchObject([
      403,
      { error: 'access_denied', decision_id: 'd-2' },
    ]);
    const obligations = [{ id: 'o', type: 'redact' as const, properties: {} }];
    system.decideWith(() => ({ decision: true, context: { id: 'd-3', obligations } }));
    expect((await system.call(`${system.host}/user`)).status).toBe(403);
    system.decideWith(() => {
      throw new Error('it broke');
    });
    const broken = await system.call(`${system.host}/user`);
    expect([broken.status, broken.headers['retry-after']]).toEqual([503, '1']);
    expect(system.seen).toEqual([]);
    expect(system.audited.map(({ details }) => details?.['reason'])).toEqual([
      'access_denied',
      'access_denied',
      'temporarily_unavailable',
    ]);
  });

  it('not when it cannot be recorded', async () => {
    system.recording(false);
    expect((await system.call(`${system.host}/user`)).status).toBe(500);
    system.recording(true);
    expect(system.seen).toEqual([]);
  });
});

describe('what may be called', () => {
  it.each([
    ['another method', 'DELETE', 'user', 403],
    ['a method that is none', 'TRACE', 'user', 405],
    ['another path', 'GET', 'admin', 403],
    ['dot segments', 'GET', 'files/../admin', 400],
    ['encoded dot segments', 'GET', 'files/%2e%2e/admin', 400],
    ['encoded slashes', 'GET', 'files/..%2fadmin', 400],
    ['encoded twice', 'GET', 'files/%252e%252e/admin', 400],
    ['a backslash', 'GET', 'files/..%5cadmin', 400],
    ['empty segments', 'GET', '/admin', 400],
    ['another method in the query', 'GET', 'user?_method=DELETE', 400],
    ['a token in the query', 'GET', 'user?access_token=x', 400],
  ])('not %s', async (_what, method, path, status) => {
    expect((await system.call(`${system.host}/${path}`, { method })).status).toBe(status);
    expect(system.seen).toEqual([]);
  });

  it('no other host, however it is written', async () => {
    const { host } = new URL(system.elsewhere);
    const paths = [
      `${host}/user`,
      `${system.elsewhere}/user`,
      `/${host}/user`,
      `${system.host}@${host}/user`,
      `${system.host}%2f@${host}/user`,
      `..%2f${host}/user`,
      `${host}%00${system.host}/user`,
      `localhost:${new URL(system.api).port}/user`,
    ];
    for (const path of paths) expect((await system.call(path)).status).toBeGreaterThanOrEqual(400);
    const authorization = `Bearer ${await system.token()}`;
    for (const path of [
      `http://${host}/forward/acme/${system.host}/user`,
      `/forward/acme/../acme/${system.host}/user`,
      `/FORWARD/acme/${system.host}/user`,
      `/forward/acm%65/${system.host}/user`,
      `/forward/constructor/${system.host}/user`,
    ])
      expect((await system.raw(path, { headers: { authorization } })).status).toBeGreaterThanOrEqual(400);
    expect(system.seen).toEqual([]);
  });

  it('a call without a scope of the provider needs the one of forwarding', async () => {
    expect((await system.call(`${system.host}/open`)).status).toBe(200);
    const token = await system.token({ scope: 'read' });
    expect((await system.call(`${system.host}/open`, { token })).status).toBe(403);
  });
});

describe('where an answer leads', () => {
  const leading = (status: number, location: string) =>
    system.answerWith((request, response) => {
      if (request.url !== '/user') return void response.end('arrived');
      response.writeHead(status, { location }).end(`go to ${location}`);
    });

  it.each([301, 302, 303, 307, 308])(
    'outside the list nobody is led (%i), and the token goes nowhere',
    async (status) => {
      for (const location of [`${system.elsewhere}/user?token=secret`, '/admin', '//evil.example/user']) {
        leading(status, location);
        const answer = await system.call(`${system.host}/user`);
        expect(answer.status).toBe(502);
        expect(JSON.stringify([answer.headers, answer.text])).not.toMatch(/secret|evil|admin/);
      }
      expect(system.seen.every(({ url }) => url === '/user')).toBe(true);
    },
  );

  it('inside the list the caller is told an address of ours, and is asked about again there', async () => {
    leading(301, '/files/moved?x=1');
    const answer = await system.call(`${system.host}/user`);
    const location = `${system.publicUrl}/forward/acme/${system.host}/files/moved?x=1`;
    expect([answer.status, answer.headers['location'], answer.text]).toEqual([301, location, '']);
    expect(system.seen).toHaveLength(1);
    system.decideWith(() => ({ decision: false, context: { id: 'd-4' } }));
    const { pathname, search } = new URL(location);
    const headers = { authorization: `Bearer ${await system.token()}` };
    expect((await system.raw(`${pathname}${search}`, { headers })).status).toBe(403);
  });
});

describe('bounds', () => {
  const post = (body: string, headers: Record<string, string>) =>
    system.call(`${system.host}/files/x`, { method: 'POST', body, headers });

  it('refuses a body that is too large, announced or not, and one where there is none', async () => {
    const large = 'a'.repeat(1_001);
    system.answerWith((request, response) => {
      request.resume().on('end', () => response.end());
    });
    expect((await post(large, { 'content-length': '1001' })).status).toBe(413);
    expect(system.seen).toEqual([]);
    expect((await post(large, { 'transfer-encoding': 'chunked' })).status).toBe(413);
    const get = await system.call(`${system.host}/user`, { body: 'x', headers: { 'content-length': '1' } });
    expect(get.status).toBe(400);
  });

  it('breaks off an answer that is too large, and never calls a part of it the whole', async () => {
    system.answerWith((_request, response) => {
      response.write('a'.repeat(6_000));
      response.end('a'.repeat(6_000));
    });
    await expect(system.call(`${system.host}/user`)).rejects.toThrow();
    system.answerWith((_request, response) => {
      response.setHeader('content-length', 20_000).end('a'.repeat(20_000));
    });
    expect((await system.call(`${system.host}/user`)).status).toBe(502);
  });

  it('says so when the third party is not there', async () => {
    system.answerWith((request) => void request.socket.destroy());
    const answer = await system.call(`${system.host}/user`);
    expect([answer.status, answer.json()['error']]).toEqual([502, 'server_error']);
  });
});

describe('what ends while a call is under way', () => {
  /** Begins an answer that never ends; resolves when its beginning has arrived. */
  const begin = async (claims: Record<string, unknown> = {}) => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const { promise: hungUp, resolve: hangUp } = Promise.withResolvers<void>();
    system.answerWith((_request, response) => {
      response.on('close', hangUp);
      response.write('a beginning');
    });
    const ended = system
      .raw(`/forward/acme/${system.host}/user`, {
        headers: { authorization: `Bearer ${await system.token(claims)}` },
        onData: () => resolve(),
      })
      .then(
        () => 'finished',
        () => 'broken off',
      );
    await begun;
    return { ended, hungUp };
  };

  it('a revoked token takes it along, at both ends', async () => {
    const { ended, hungUp } = await begin({ txn: 'chain-1' });
    await system.revoke({ kind: 'transaction', id: 'chain-1' });
    expect(await ended).toBe('broken off');
    await hungUp;
  });

  it('so does the end of the connection', async () => {
    await system.lend('carol');
    const { ended } = await begin({ sub: 'carol' });
    await system.operator.offBoard('carol');
    expect(await ended).toBe('broken off');
  });
});

describe('a third party that no longer takes the token', () => {
  it('is asked with another one next time, and the person when there is none', async () => {
    const takes = new Set<string>();
    system.answerWith((request, response) => {
      response.statusCode = takes.has(request.headers.authorization ?? '') ? 200 : 401;
      response.setHeader('www-authenticate', 'Bearer error="invalid_token"').end();
    });
    // Nothing fresh is given up for a token that has just come.
    system.clock.advanceSeconds(60);
    const first = await system.call(`${system.host}/user`);
    expect([first.status, first.headers['retry-after'], first.headers['www-authenticate']]).toEqual([
      503,
      '1',
      undefined,
    ]);
    const second = await system.call(`${system.host}/user`);
    expect(second.status).toBe(503);
    const [before, after] = system.seen.map(({ headers }) => headers.authorization);
    expect(before).toBe(`Bearer ${lent}`);
    expect(after).not.toBe(before);
    const third = await system.call(`${system.host}/user`);
    expect([third.status, third.json()['error']]).toEqual([403, 'interaction_required']);
  });
});
