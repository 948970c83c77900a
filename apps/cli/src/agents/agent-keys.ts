import { readFile, rm, writeFile } from 'node:fs/promises';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { UsageError } from '../parse-command.js';

const alg = 'ES256';
const onlyOwner = 0o600;
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/**
 * Makes a key pair, keeps the private key in a new file that only its owner can read, and hands the public one to
 * `register`. When that fails, the file is gone again.
 *
 * @throws UsageError for a file that exists: it may hold the key that is in use
 */
export async function withGeneratedKey<T>(
  file: string,
  register: (publicKey: JWK) => Promise<T>,
): Promise<T> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const publicKey = await exportJWK(pair.publicKey);
  const named = { kid: await calculateJwkThumbprint(publicKey), alg, use: 'sig' };
  const text = `${JSON.stringify({ ...(await exportJWK(pair.privateKey)), ...named }, undefined, 2)}\n`;
  await writeFile(file, text, { flag: 'wx', mode: onlyOwner }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new UsageError(`${file} exists; it is not overwritten`) : error;
  });
  try {
    return await register({ ...publicKey, ...named });
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** Reads a public key, or a set of them. @throws UsageError for private keys, which must not leave this machine */
export async function readPublicKeys(file: string): Promise<{ keys: Record<string, unknown>[] }> {
  const content: unknown = JSON.parse(await readFile(file, 'utf8'));
  const keys =
    isObject(content) && Array.isArray(content['keys']) ? (content['keys'] as unknown[]) : [content];
  if (!keys.every(isObject)) throw new UsageError(`${file} holds no JSON Web Keys`);
  if (keys.some((key) => privateMembers.some((member) => member in key))) {
    throw new UsageError(`${file} holds a private key; only public ones are registered`);
  }
  return { keys };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
