import { systemClock } from '@behalf/ports';
import { describeKeyEncryptionKey } from '@behalf/testing';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsKmsKeyEncryptionKey, signRequest } from './index.js';

const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const arnOf = (name: string) => `arn:aws:kms:eu-central-1:111122223333:key/${name}`;

class KmsError extends Error {}

/** Encrypt, Decrypt and ReEncrypt of KMS: signatures, encryption contexts, and the errors it answers with. */
async function startKms() {
  const keys = new Map(['one', 'two'].map((name) => [arnOf(name), randomBytes(32)]));
  const state = { throttleNext: 0, denied: false };
  const encrypt = (arn: string, plaintext: Buffer, context: unknown): string => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', keys.get(arn) ?? '', nonce);
    cipher.setAAD(Buffer.from(JSON.stringify(context ?? {})));
    const sealed = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return Buffer.from(JSON.stringify({ arn, sealed: sealed.toString('base64') })).toString('base64');
  };
  const decrypt = (arn: unknown, blob: unknown, context: unknown): Buffer => {
    let found: { arn: string; sealed: string };
    try {
      found = JSON.parse(Buffer.from(String(blob), 'base64').toString()) as typeof found;
      const sealed = Buffer.from(found.sealed, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', keys.get(found.arn) ?? '', sealed.subarray(0, 12));
      decipher.setAAD(Buffer.from(JSON.stringify(context ?? {})));
      decipher.setAuthTag(sealed.subarray(-16));
      const plaintext = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
      if (found.arn === arn) return plaintext;
    } catch {
      throw new KmsError('InvalidCiphertextException');
    }
    throw new KmsError('IncorrectKeyException');
  };
  const answer = (action: string, body: Record<string, unknown>): unknown => {
    const { KeyId, Plaintext, CiphertextBlob, EncryptionContext } = body;
    if (action === 'Encrypt') {
      const blob = encrypt(String(KeyId), Buffer.from(String(Plaintext), 'base64'), EncryptionContext);
      return { KeyId, CiphertextBlob: blob };
    }
    if (action === 'Decrypt') {
      return { KeyId, Plaintext: decrypt(KeyId, CiphertextBlob, EncryptionContext).toString('base64') };
    }
    const plaintext = decrypt(body['SourceKeyId'], CiphertextBlob, body['SourceEncryptionContext']);
    const blob = encrypt(String(body['DestinationKeyId']), plaintext, body['DestinationEncryptionContext']);
    return { KeyId: body['DestinationKeyId'], CiphertextBlob: blob };
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const send = (status: number, body: unknown): void =>
      void response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify(body));
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const {
        authorization,
        host = '',
        'x-amz-target': target = '',
        'x-amz-date': date = '',
      } = request.headers;
      const time = String(date).replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5');
      const signed = signRequest(
        {
          host,
          region: 'eu-central-1',
          service: 'kms',
          headers: { 'content-type': request.headers['content-type'] ?? '', 'x-amz-target': String(target) },
          body,
          nowMs: Date.parse(time),
        },
        credentials,
      );
      if (signed['authorization'] !== authorization)
        return send(400, { __type: 'IncompleteSignatureException' });
      if (state.denied) return send(400, { __type: 'AccessDeniedException' });
      if (state.throttleNext-- > 0) return send(400, { __type: 'ThrottlingException' });
      try {
        send(200, answer(String(target).replace('TrentService.', ''), JSON.parse(body) as never));
      } catch (error) {
        send(400, { __type: (error as Error).message });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    state,
    keyOf: (name: string, given = credentials) =>
      new AwsKmsKeyEncryptionKey({
        keyArn: arnOf(name),
        endpoint,
        credentials: () => given,
        clock: systemClock,
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describeKeyEncryptionKey('AWS KMS', async () => {
  const kms = await startKms();
  return { key: kms.keyOf('one'), other: kms.keyOf('two'), close: () => kms.close() };
});

describe('AwsKmsKeyEncryptionKey', () => {
  it('tries once more when it is throttled, and tells what waiting mends from what is not ours', async () => {
    const kms = await startKms();
    const [dataKey, binding] = [Buffer.alloc(32, 5), Buffer.from('a place')];
    const key = kms.keyOf('one');
    kms.state.throttleNext = 1;
    const wrapped = await key.wrap(dataKey, binding);
    kms.state.throttleNext = 9;
    await expect(key.unwrap(wrapped, binding)).rejects.toMatchObject({ problem: 'unavailable' });
    kms.state.throttleNext = 0;
    const forged = kms.keyOf('one', { ...credentials, secretAccessKey: 'guessed' });
    await expect(forged.unwrap(wrapped, binding)).rejects.toMatchObject({ problem: 'unavailable' });
    kms.state.denied = true;
    await expect(key.unwrap(wrapped, binding)).rejects.toMatchObject({ problem: 'unavailable' });
    await kms.close();
    await expect(key.unwrap(wrapped, binding)).rejects.toMatchObject({ problem: 'unavailable' });
  });
});

describe('signRequest', () => {
  it('signs as the published example does', () => {
    const signed = signRequest(
      {
        host: 'example.amazonaws.com',
        region: 'us-east-1',
        service: 'service',
        headers: {},
        body: '',
        nowMs: Date.UTC(2015, 7, 30, 12, 36, 0),
      },
      credentials,
    );
    expect(signed['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    );
  });
});
