import { type KeyEncryptionKey, SealingError } from '@behalf/sealing';
import { request } from 'undici';
import { z } from 'zod';

const timeoutMs = 3_000;
const attempts = 2;

export interface TransitOptions {
  /** Of the server, such as `https://bao.example:8200`. */
  url: string;
  mount: string;
  /** An `aes256-gcm96` or `chacha20-poly1305` key: others take no associated data. */
  key: string;
  /** Read anew for each request, so that an agent beside us may renew it. */
  token: () => string;
  namespace?: string | undefined;
}

const answerSchema = z.object({
  data: z.object({ ciphertext: z.string().optional(), plaintext: z.string().optional() }),
});

/**
 * A key of the Transit engine. Its versions are Transit's business: what an older one wrapped still unwraps, until the
 * operator raises `min_decryption_version`, and `rewrap` brings it to the newest one without showing us the data key.
 *
 * @see https://openbao.org/api-docs/secret/transit/
 */
export class TransitKeyEncryptionKey implements KeyEncryptionKey {
  readonly id: string;

  constructor(private readonly options: TransitOptions) {
    const name = [options.namespace, options.mount, options.key].filter(Boolean).join('/');
    this.id = `transit-${Buffer.from(name).toString('base64url')}`;
  }

  async wrap(dataKey: Uint8Array, binding: Uint8Array): Promise<Uint8Array> {
    const { ciphertext } = await this.#call('encrypt', { plaintext: base64(dataKey) }, binding);
    return wrappedIn(ciphertext);
  }

  async unwrap(wrapped: Uint8Array, binding: Uint8Array): Promise<Uint8Array> {
    const { plaintext } = await this.#call(
      'decrypt',
      { ciphertext: Buffer.from(wrapped).toString() },
      binding,
    );
    if (plaintext === undefined) throw new SealingError('unavailable');
    return Buffer.from(plaintext, 'base64');
  }

  async rewrap(wrapped: Uint8Array, binding: Uint8Array): Promise<Uint8Array> {
    const { ciphertext } = await this.#call(
      'rewrap',
      { ciphertext: Buffer.from(wrapped).toString() },
      binding,
    );
    return wrappedIn(ciphertext);
  }

  async #call(
    verb: 'encrypt' | 'decrypt' | 'rewrap',
    values: Record<string, string>,
    binding: Uint8Array,
  ): Promise<z.output<typeof answerSchema>['data']> {
    const { url, mount, key, token, namespace } = this.options;
    const body = JSON.stringify({ ...values, associated_data: base64(binding) });
    for (let attempt = 1; ; attempt++) {
      const { status, text } = await send(`${url}/v1/${mount}/${verb}/${encodeURIComponent(key)}`, body, {
        'x-vault-token': token(),
        'x-vault-request': 'true',
        'content-type': 'application/json',
        ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
      });
      if (status === 200) return parse(text);
      // 400 is how it says that the ciphertext, its key version or the associated data is not right.
      if (status === 400 && verb !== 'encrypt') throw new SealingError('wrong_key');
      const mayPass = status === 429 || status >= 500;
      if (!mayPass || attempt === attempts)
        throw new SealingError('unavailable', { cause: `status ${status}` });
    }
  }
}

async function send(
  url: string,
  body: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  try {
    const response = await request(url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.statusCode, text: await response.body.text() };
  } catch (cause) {
    throw new SealingError('unavailable', { cause });
  }
}

function parse(text: string): z.output<typeof answerSchema>['data'] {
  try {
    return answerSchema.parse(JSON.parse(text)).data;
  } catch (cause) {
    throw new SealingError('unavailable', { cause });
  }
}

/** `vault:v<version>:<base64>`, kept as it is. */
function wrappedIn(ciphertext: string | undefined): Uint8Array {
  if (!ciphertext) throw new SealingError('unavailable');
  return Buffer.from(ciphertext);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
