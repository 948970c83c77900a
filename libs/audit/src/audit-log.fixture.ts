import { generateKeyPairSync } from 'node:crypto';
import { canonicalJson } from '@behalf/i-json';
import {
  type AuditLeaves,
  type Checkpoint,
  type LogSource,
  type NoteVerifier,
  TreeEdge,
  entryTiles,
  formatCheckpoint,
  formatTilePath,
  hashLeaf,
  readTile,
  signNote,
  verifyLog,
} from './index.js';

export const origin = 'as.example/audit';
const keys = generateKeyPairSync('ed25519');
export const log: NoteVerifier = { name: origin, kind: 'log', key: keys.publicKey };

export const leafOf = (n: number, client = `client-${n}`): string =>
  canonicalJson({ type: 'exchange', outcome: 'allowed', occurredAtMs: n, client });
export const leavesOf = (count: number): string[] => Array.from({ length: count }, (_, n) => leafOf(n));

export function headOf(leaves: readonly string[]): Checkpoint {
  return {
    origin,
    size: leaves.length,
    root: TreeEdge.empty.append(leaves.map((leaf) => hashLeaf(leaf))).root,
  };
}

export function noteOf(leaves: readonly string[], privateKey = keys.privateKey): string {
  const text = formatCheckpoint(headOf(leaves));
  return `${text}\n${signNote(text, { name: origin, kind: 'log', privateKey })}`;
}

/** What a log keeps of these leaves. */
export function kept(leaves: readonly string[]): AuditLeaves {
  return {
    head: async () => headOf(leaves),
    leaves: async (from, limit) => leaves.slice(from, from + limit),
    tileRoots: async (from, limit) =>
      Array.from({ length: Math.min(limit, Math.floor(leaves.length / 256) - from) }, (_, n) => {
        const first = (from + n) * 256;
        return headOf(leaves.slice(first, first + 256)).root;
      }),
  };
}

/** The log as it is served. */
export function served(leaves: readonly string[], note = noteOf(leaves)): LogSource {
  return {
    checkpoint: async () => note,
    tile: async (tile) => {
      const bytes = await readTile(tile, kept(leaves));
      if (!bytes) throw new Error(`there is no ${formatTilePath(tile)}`);
      return bytes;
    },
  };
}

/** A log as files that can be tampered with, and read again. */
export class Files implements LogSource {
  readonly files = new Map<string, Uint8Array>();

  /** All that a reader of the whole log reads. */
  static async of(leaves: readonly string[]): Promise<Files> {
    const copy = new Files();
    const source = served(leaves);
    const keep = async <T extends string | Uint8Array>(path: string, content: T): Promise<T> => {
      copy.files.set(path, Buffer.from(content as string));
      return content;
    };
    const saving: LogSource = {
      checkpoint: async () => keep('checkpoint', await source.checkpoint()),
      tile: async (tile) => keep(formatTilePath(tile), await source.tile(tile)),
    };
    await verifyLog(saving, [log]);
    if (copy.files.size < 1 + entryTiles(leaves.length).length) throw new Error('not all was read');
    return copy;
  }

  with(path: string, content: Uint8Array | undefined): Files {
    const changed = new Files();
    for (const [name, bytes] of this.files) changed.files.set(name, bytes);
    if (content) changed.files.set(path, content);
    else changed.files.delete(path);
    return changed;
  }

  async checkpoint(): Promise<string> {
    return Buffer.from(this.#read('checkpoint')).toString('utf8');
  }

  async tile(tile: Parameters<LogSource['tile']>[0]): Promise<Uint8Array> {
    return this.#read(formatTilePath(tile));
  }

  #read(path: string): Uint8Array {
    const bytes = this.files.get(path);
    if (!bytes) throw new Error(`there is no ${path}`);
    return bytes;
  }
}
