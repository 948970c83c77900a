import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { testCertificate } from '@behalf/testing';
import { type GuardedFetchOptions, createGuardedFetch } from './index.js';

describe('createGuardedFetch over TLS', () => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = createServer(testCertificate, (_request, response) => response.end('sealed'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const fetchFrom = async (host: string, options: Partial<GuardedFetchOptions> = {}): Promise<string> => {
    const guarded = createGuardedFetch({
      allowLoopback: true,
      maxBytes: 100,
      timeoutMs: 5_000,
      ca: testCertificate.cert,
      resolve: async () => ['127.0.0.1'],
      ...options,
    });
    return Buffer.from((await guarded(`https://${host}:${port}/`)).body).toString();
  };

  it('reaches a server whose certificate names it and is trusted', async () => {
    expect(await fetchFrom('a.test')).toBe('sealed');
    expect(await fetchFrom('127.0.0.1')).toBe('sealed');
  });

  it('refuses a certificate of another name', async () => {
    await expect(fetchFrom('b.test')).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it('refuses a certificate of an unknown authority', async () => {
    const usual = createGuardedFetch({ allowLoopback: true, maxBytes: 100, timeoutMs: 5_000 });
    await expect(usual(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it('refuses the address before it dials', async () => {
    let connections = 0;
    server.on('connection', () => connections++);
    await expect(fetchFrom('a.test', { allowLoopback: false })).rejects.toMatchObject({
      reason: 'forbidden_address',
    });
    await expect(fetchFrom('127.0.0.1', { allowLoopback: false })).rejects.toMatchObject({
      reason: 'forbidden_address',
    });
    expect(connections).toBe(0);
  });
});
