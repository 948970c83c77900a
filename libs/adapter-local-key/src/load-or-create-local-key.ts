import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalKeyEncryptionKey } from '@behalf/sealing';

export const sealingKeyVariable = 'BEHALF_SEALING_KEY';
export const sealingKeyFile = 'sealing.key';

/**
 * The local key-encryption key: from the environment when BEHALF_SEALING_KEY is set (base64 of 32 bytes), otherwise
 * from `sealing.key` in the folder, which is created for its owner's eyes only when there is none.
 *
 * Losing the key loses every secret sealed under it. A key from the environment is never written to the folder.
 *
 * @throws Error when the key found is not 32 bytes of base64; its message names the place, never the value
 */
export async function loadOrCreateLocalKey(
  folder: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<LocalKeyEncryptionKey> {
  const given = environment[sealingKeyVariable];
  if (given !== undefined && given !== '') return localKeyFrom(given, sealingKeyVariable);
  const file = join(folder, sealingKeyFile);
  return localKeyFrom((await readIfThere(file)) ?? (await create(folder, file)), file);
}

/** Written aside and linked into place: nobody reads half a key, and of two creators at once both use the first. */
async function create(folder: string, file: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    await chmod(draft, 0o600);
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws Error when the text is not 32 bytes of base64; its message names the place, never the value */
export function localKeyFrom(text: string, place: string): LocalKeyEncryptionKey {
  const bytes = Buffer.from(text.trim(), 'base64');
  if (bytes.byteLength !== 32 || bytes.toString('base64') !== text.trim()) {
    throw new Error(`${place} must hold 32 bytes in base64 (make one with: openssl rand -base64 32)`);
  }
  return new LocalKeyEncryptionKey(bytes);
}
