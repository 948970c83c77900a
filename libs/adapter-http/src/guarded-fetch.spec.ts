import { type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GuardedFetchError, type GuardedFetchOptions, asFetch, createGuardedFetch } from './index.js';

describe('createGuardedFetch', () => {
  let server: Server;
  let base: string;
  let requests: number;
  let answer: RequestListener;
  beforeAll(async () => {
    server = createServer((request, response) => {
      requests++;
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    requests = 0;
    answer = (_request, response) => response.setHeader('content-type', 'application/json').end('{"a":1}');
  });

  const guarded = (options: Partial<GuardedFetchOptions> = {}) =>
    createGuardedFetch({ allowLoopback: true, maxBytes: 100, timeoutMs: 5_000, ...options });
  const reasonOf = (fetching: Promise<unknown>): Promise<string> =>
    fetching.then(
      () => 'fetched',
      (error: GuardedFetchError) => error.reason,
    );

  it('gives back status, headers and body', async () => {
    const { status, headers, body } = await guarded({ jsonOnly: true })(`${base}/doc?q=1`);
    expect({ status, body: Buffer.from(body).toString() }).toEqual({ status: 200, body: '{"a":1}' });
    expect(headers['content-type']).toBe('application/json');
  });

  it('sends nothing that tells who we are', async () => {
    let sent: string[] = [];
    answer = (request, response) => {
      sent = Object.keys(request.headers);
      response.end();
    };
    await guarded()(base);
    expect(sent.toSorted()).toEqual(['accept', 'accept-encoding', 'connection', 'host']);
  });

  it.each([301, 302, 303, 307, 308, 304])('follows no redirect (%i)', async (status) => {
    answer = (_request, response) => response.writeHead(status, { location: '/elsewhere' }).end();
    expect(await reasonOf(guarded()(base))).toBe('redirect');
    expect(requests).toBe(1);
  });

  it.each([201, 204, 206, 404, 500])('takes no other status than 200 (%i)', async (status) => {
    answer = (_request, response) => response.writeHead(status).end();
    expect(await reasonOf(guarded()(base))).toBe('status');
  });

  it('refuses a body that is too large, announced or not', async () => {
    answer = (_request, response) => response.end(Buffer.alloc(101));
    expect(await reasonOf(guarded()(base))).toBe('too_large');
    answer = (_request, response) => {
      response.write(Buffer.alloc(60));
      response.write(Buffer.alloc(60));
      response.end();
    };
    expect(await reasonOf(guarded()(base))).toBe('too_large');
    answer = (_request, response) => response.end(Buffer.alloc(100));
    expect(await reasonOf(guarded()(base))).toBe('fetched');
  });

  it('stops reading a body that never ends', async () => {
    const { promise: hungUp, resolve: hangUp } = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.on('close', hangUp);
      const more = (): void =>
        void response.write(Buffer.alloc(1000), (error) => error || setImmediate(more));
      more();
    };
    expect(await reasonOf(guarded()(base))).toBe('too_large');
    await hungUp;
  });

  it('gives up on a server that answers late, or never finishes', async () => {
    answer = () => {};
    expect(await reasonOf(guarded({ timeoutMs: 50 })(base))).toBe('timeout');
    answer = (_request, response) => void response.write('{');
    expect(await reasonOf(guarded({ timeoutMs: 50 })(base))).toBe('timeout');
  });

  it('gives up on a name that does not resolve in time', async () => {
    const resolve = (): Promise<string[]> => new Promise(() => {});
    expect(await reasonOf(guarded({ timeoutMs: 50, resolve })('https://slow.test/'))).toBe('timeout');
  });

  it('ends with the reason of the caller who gave up', async () => {
    answer = () => {};
    const caller = new AbortController();
    const fetching = guarded()(base, { signal: caller.signal });
    caller.abort(new Error('changed my mind'));
    await expect(fetching).rejects.toThrow('changed my mind');
    await expect(guarded()(base, { signal: caller.signal })).rejects.toThrow('changed my mind');
  });

  it('refuses another content type where JSON is asked for, and any compression', async () => {
    const json = guarded({ jsonOnly: true });
    for (const type of ['text/html', 'application/jsonp', '']) {
      answer = (_request, response) => response.setHeader('content-type', type).end('{}');
      expect(await reasonOf(json(base))).toBe('content_type');
    }
    for (const type of ['application/json; charset=utf-8', 'application/jwk-set+json', 'APPLICATION/JSON']) {
      answer = (_request, response) => response.setHeader('content-type', type).end('{}');
      expect(await reasonOf(json(base))).toBe('fetched');
    }
    answer = (_request, response) => response.setHeader('content-encoding', 'gzip').end('');
    expect(await reasonOf(guarded()(base))).toBe('content_type');
  });

  it('refuses other schemes, credentials and what is no URL', async () => {
    for (const url of [
      'ftp://a.test/',
      'file:///etc/passwd',
      'data:,x',
      'https://u:p@a.test/',
      'https://u@a.test/',
      'a',
    ]) {
      expect(await reasonOf(guarded()(url))).toBe('forbidden_url');
    }
  });

  it('reaches loopback only with the switch', async () => {
    expect(await reasonOf(guarded({ allowLoopback: false })(base))).toBe('forbidden_url');
    for (const host of [
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '0177.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
    ]) {
      expect(await reasonOf(guarded({ allowLoopback: false })(`https://${host}/`))).toBe('forbidden_address');
    }
    const named = guarded({ allowLoopback: false, resolve: async () => ['127.0.0.1'] });
    expect(await reasonOf(named('https://localhost/'))).toBe('forbidden_address');
    expect(requests).toBe(0);
    expect(
      await reasonOf(guarded({ resolve: async () => ['127.0.0.1'] })(base.replace('127.0.0.1', 'a.test'))),
    ).toBe('fetched');
  });

  it('refuses private and special addresses, with the switch too', async () => {
    const literals = [
      '10.0.0.1',
      '169.254.169.254',
      '192.168.1.1',
      '0.0.0.0',
      '[fd00::1]',
      '[fe80::1]',
      '[::]',
    ];
    for (const host of [
      ...literals,
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '[::7f00:1]',
      '[::ffff:10.0.0.1]',
    ]) {
      expect(await reasonOf(guarded()(`https://${host}/`))).toBe('forbidden_address');
    }
  });

  it.each([
    ['a private address', ['10.0.0.1']],
    ['a public and a private one', ['93.184.215.14', '10.0.0.1']],
    ['an IPv4 address in disguise', ['::ffff:169.254.169.254']],
    ['nothing', []],
    ['what is no address', ['localhost']],
  ])('refuses a name that resolves to %s', async (_what, addresses) => {
    expect(await reasonOf(guarded({ resolve: async () => addresses })('https://a.test/'))).toBe(
      'forbidden_address',
    );
  });

  it('never sends plain http out of the machine', async () => {
    expect(await reasonOf(guarded({ resolve: async () => ['93.184.215.14'] })('http://a.test/'))).toBe(
      'forbidden_address',
    );
    expect(await reasonOf(guarded()('http://93.184.215.14/'))).toBe('forbidden_address');
  });

  it('tells a name that does not exist, and a port nobody listens on, from a refusal', async () => {
    const resolve = (): Promise<string[]> => Promise.reject(new Error('ENOTFOUND'));
    expect(await reasonOf(guarded({ resolve })('https://a.test/'))).toBe('unreachable');
    expect(await reasonOf(guarded()('http://127.0.0.1:1/'))).toBe('unreachable');
  });

  it('refuses a server that does not speak TLS, or shows no certificate of a known authority', async () => {
    expect(await reasonOf(guarded()(base.replace('http:', 'https:')))).toBe('unreachable');
  });

  it('refuses to be built with the switch in production', () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      expect(() => guarded()).toThrow();
      expect(() => guarded({ allowLoopback: false })).not.toThrow();
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  describe('asFetch', () => {
    it('answers as the platform does', async () => {
      const response = await asFetch(guarded())(new URL(base), { signal: AbortSignal.timeout(5_000) });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ a: 1 });
    });

    it('refuses to send anything', async () => {
      await expect(asFetch(guarded())(base, { method: 'POST', body: 'x' })).rejects.toThrow(TypeError);
      const request = new Request(base, { method: 'POST', body: 'x' });
      await expect(asFetch(guarded())(request)).rejects.toThrow(TypeError);
      expect(requests).toBe(0);
    });
  });
});
