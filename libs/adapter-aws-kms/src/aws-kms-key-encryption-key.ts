import type { Clock } from '@behalf/ports';
import { type KeyEncryptionKey, SealingError } from '@behalf/sealing';
import { createHash } from 'node:crypto';
import { request } from 'undici';
import { z } from 'zod';
import { type AwsCredentials, signRequest } from './sign-request.js';

const timeoutMs = 3_000;
const attempts = 2;

export interface AwsKmsOptions {
  /** An ARN and no alias: what was wrapped has to name one key for ever. */
  keyArn: string;
  /** For a VPC endpoint; the public one of the region without it. */
  endpoint?: string | undefined;
  /** Asked anew for each request: temporary ones change. */
  credentials: () => AwsCredentials;
  clock: Clock;
}

const answerSchema = z.object({ CiphertextBlob: z.string().optional(), Plaintext: z.string().optional() });
const errorSchema = z.object({ __type: z.string() });

/** What KMS answers when this key did not wrap it, or not for this binding. */
const notOurs = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);

/**
 * A symmetric key of AWS KMS. The binding goes along as the encryption context, so CloudTrail shows the digest of what
 * was unwrapped, and an alarm can be put on that of a decoy. KMS rotates the key's material by itself; what was wrapped
 * before goes on unwrapping, and `rewrap` (ReEncrypt) brings it to the newest without showing us the data key.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/
 */
export class AwsKmsKeyEncryptionKey implements KeyEncryptionKey {
  readonly id: string;
  readonly #region: string;
  readonly #url: string;

  constructor(private readonly options: AwsKmsOptions) {
    const digest = createHash('sha256').update(options.keyArn).digest('base64url');
    this.id = `aws-kms-${digest.slice(0, 22)}`;
    this.#region = options.keyArn.split(':')[3] ?? '';
    this.#url = options.endpoint ?? `https://kms.${this.#region}.amazonaws.com`;
  }

  async wrap(dataKey: Uint8Array, binding: Uint8Array): Promise<Uint8Array> {
    const { keyArn: KeyId } = this.options;
    const EncryptionContext = contextOf(binding);
    const { CiphertextBlob } = await this.#call('Encrypt', {
      KeyId,
      Plaintext: base64(dataKey),
      EncryptionContext,
    });
    return bytesOf(CiphertextBlob);
  }

  async unwrap(wrapped: Uint8Array, binding: Uint8Array): Promise<Uint8Array> {
    const { keyArn: KeyId } = this.options;
    const EncryptionContext = contextOf(binding);
    // The key is named: otherwise KMS would take whichever one the blob says, and a foreign one would do.
    const asked = { KeyId, CiphertextBlob: base64(wrapped), EncryptionContext };
    return bytesOf((await this.#call('Decrypt', asked)).Plaintext);
  }

  async rewrap(wrapped: Uint8Array, binding: Uint8Array): Promise<Uint8Array> {
    const { keyArn } = this.options;
    const context = contextOf(binding);
    const { CiphertextBlob } = await this.#call('ReEncrypt', {
      CiphertextBlob: base64(wrapped),
      SourceKeyId: keyArn,
      SourceEncryptionContext: context,
      DestinationKeyId: keyArn,
      DestinationEncryptionContext: context,
    });
    return bytesOf(CiphertextBlob);
  }

  async #call(
    action: 'Encrypt' | 'Decrypt' | 'ReEncrypt',
    values: Record<string, unknown>,
  ): Promise<z.output<typeof answerSchema>> {
    const body = JSON.stringify(values);
    for (let attempt = 1; ; attempt++) {
      const { status, text } = await this.#send(action, body);
      if (status === 200) return parse(answerSchema, text);
      const kind = status === 400 ? parse(errorSchema, text).__type.split('#').at(-1) : undefined;
      if (kind !== undefined && notOurs.has(kind)) throw new SealingError('wrong_key');
      const mayPass = status >= 500 || status === 429 || kind === 'ThrottlingException';
      if (!mayPass || attempt === attempts) {
        throw new SealingError('unavailable', { cause: kind ?? `status ${status}` });
      }
    }
  }

  async #send(action: string, body: string): Promise<{ status: number; text: string }> {
    const { credentials, clock } = this.options;
    const headers = signRequest(
      {
        host: new URL(this.#url).host,
        region: this.#region,
        service: 'kms',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` },
        body,
        nowMs: clock.nowMs(),
      },
      credentials(),
    );
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await request(`${this.#url}/`, { method: 'POST', headers, body, signal });
      return { status: response.statusCode, text: await response.body.text() };
    } catch (cause) {
      throw new SealingError('unavailable', { cause });
    }
  }
}

/** KMS signs the context into the blob, and writes it into its log: a digest, and nobody's name. */
function contextOf(binding: Uint8Array): Record<string, string> {
  return binding.byteLength === 0 ? {} : { 'behalf-binding': base64(binding) };
}

function parse<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SealingError('unavailable', { cause });
  }
}

function bytesOf(text: string | undefined): Uint8Array {
  if (!text) throw new SealingError('unavailable');
  return Buffer.from(text, 'base64');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
