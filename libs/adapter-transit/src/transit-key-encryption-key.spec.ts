import { describeKeyEncryptionKey } from '@behalf/testing';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TransitKeyEncryptionKey } from './index.js';

/** The part of the Transit engine that wraps: versions, associated data, and the errors it answers with. */
async function startTransit() {
  const keys = new Map([
    ['one', [randomBytes(32)]],
    ['two', [randomBytes(32)]],
  ]);
  const state = { failNext: 0, seen: [] as Record<string, unknown>[] };
  const encrypt = (name: string, plaintext: Buffer, aad: Buffer): string => {
    const versions = keys.get(name) ?? [];
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', versions.at(-1) ?? '', nonce).setAAD(aad);
    const sealed = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return `vault:v${versions.length}:${sealed.toString('base64')}`;
  };
  const decrypt = (name: string, ciphertext: string, aad: Buffer): Buffer => {
    const [, version = '', text = ''] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? [];
    const sealed = Buffer.from(text, 'base64');
    const key = keys.get(name)?.[Number(version) - 1] ?? '';
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(aad);
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const send = (status: number, body: unknown): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (state.failNext-- > 0) return send(503, { errors: ['Vault is sealed'] });
      if (request.headers['x-vault-token'] !== 'the token')
        return send(403, { errors: ['permission denied'] });
      const [, verb, name = ''] =
        /^\/v1\/transit\/(encrypt|decrypt|rewrap)\/(\w+)$/.exec(request.url ?? '') ?? [];
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
      state.seen.push({ verb, ...body });
      const aad = Buffer.from(body['associated_data'] ?? '', 'base64');
      try {
        if (verb === 'encrypt') {
          const plaintext = Buffer.from(body['plaintext'] ?? '', 'base64');
          return send(200, { data: { ciphertext: encrypt(name, plaintext, aad), key_version: 1 } });
        }
        const plaintext = decrypt(name, body['ciphertext'] ?? '', aad);
        if (verb === 'decrypt') return send(200, { data: { plaintext: plaintext.toString('base64') } });
        return send(200, { data: { ciphertext: encrypt(name, plaintext, aad) } });
      } catch {
        return send(400, { errors: ['cipher: message authentication failed'] });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keyOf = (key: string, token = 'the token') =>
    new TransitKeyEncryptionKey({ url, mount: 'transit', key, token: () => token });
  return {
    keyOf,
    state,
    rotate: (name: string) => void keys.get(name)?.push(randomBytes(32)),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describeKeyEncryptionKey('Transit', async () => {
  const transit = await startTransit();
  return { key: transit.keyOf('one'), other: transit.keyOf('two'), close: () => transit.close() };
});

describe('TransitKeyEncryptionKey', () => {
  const [dataKey, binding] = [Buffer.alloc(32, 5), Buffer.from('a place')];
  let transit: Awaited<ReturnType<typeof startTransit>>;
  beforeEach(async () => {
    transit = await startTransit();
  });
  afterEach(() => transit.close());

  it('goes on unwrapping after Transit rotated, and brings old ones to the new version unseen', async () => {
    const key = transit.keyOf('one');
    const wrapped = await key.wrap(dataKey, binding);
    transit.rotate('one');
    const renewed = await key.rewrap(wrapped, binding);
    expect(Buffer.from(renewed).toString()).toMatch(/^vault:v2:/);
    expect(Buffer.from(await key.unwrap(wrapped, binding))).toEqual(dataKey);
    expect(Buffer.from(await key.unwrap(renewed, binding))).toEqual(dataKey);
    expect(transit.state.seen[1]).not.toHaveProperty('plaintext');
  });

  it('tries once more when it is away for a moment, and then says so', async () => {
    const key = transit.keyOf('one');
    transit.state.failNext = 1;
    const wrapped = await key.wrap(dataKey, binding);
    transit.state.failNext = 9;
    await expect(key.unwrap(wrapped, binding)).rejects.toMatchObject({ problem: 'unavailable' });
    const refused = transit.keyOf('one', 'another token').unwrap(wrapped, binding);
    await expect(refused).rejects.toMatchObject({ problem: 'unavailable' });
    await transit.close();
    await expect(key.unwrap(wrapped, binding)).rejects.toMatchObject({ problem: 'unavailable' });
  });
});
