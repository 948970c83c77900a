import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, type WitnessMemory, formatCheckpoint, parseCheckpoint } from '@behalf/audit';

/**
 * What a witness keeps: its key, the head that it has signed last, and what it has refused. Whoever empties it makes the
 * witness trust the log anew.
 */
export class WitnessFolder implements WitnessMemory {
  private constructor(
    private readonly folder: string,
    readonly privateKey: KeyObject,
  ) {}

  /** The key is made at the first time. */
  static async open(folder: string): Promise<WitnessFolder> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'key.pem');
    const known = await readIfThere(file);
    if (known !== undefined) return new WitnessFolder(folder, createPrivateKey(known));
    const { privateKey } = generateKeyPairSync('ed25519');
    await write(folder, 'key.pem', privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
    return new WitnessFolder(folder, privateKey);
  }

  async read(): Promise<Checkpoint | undefined> {
    const text = await readIfThere(join(this.folder, 'last-seen'));
    return text === undefined ? undefined : parseCheckpoint(text);
  }

  write(checkpoint: Checkpoint): Promise<void> {
    return write(this.folder, 'last-seen', formatCheckpoint(checkpoint));
  }

  /** For others: a head with both signatures. */
  publish(note: string): Promise<void> {
    return write(this.folder, 'checkpoint', note);
  }

  /** Keeps a head that the log has signed and cannot explain. */
  async keepEvidence(note: string, reason: string, atMs: number): Promise<string> {
    const name = `refused-${new Date(atMs).toISOString().replaceAll(':', '-')}-${reason}`;
    await write(this.folder, name, note);
    return join(this.folder, name);
  }
}

/** All or nothing, and on the disk when it resolves. */
async function write(folder: string, name: string, text: string): Promise<void> {
  const file = join(folder, name);
  const writing = await open(`${file}.new`, 'w', 0o600);
  try {
    await writing.writeFile(text);
    await writing.sync();
  } finally {
    await writing.close();
  }
  await rename(`${file}.new`, file);
  const entries = await open(folder);
  try {
    await entries.sync();
  } finally {
    await entries.close();
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
