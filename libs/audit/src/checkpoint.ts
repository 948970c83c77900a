import type { TreeHead } from './merkle-proof.js';

/** What a log signs about itself: its name, how many leaves it has, and their root. */
export interface Checkpoint extends TreeHead {
  origin: string;
}

/** The name of the log of an authorization server. */
export function originOf(issuer: string): string {
  return `${issuer.replace(/^https?:\/\//, '')}/audit`;
}

/** @see c2sp.org/tlog-checkpoint */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** @throws Error */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin = '', size = '', root = ''] =
    /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/.exec(text) ?? [];
  if (origin === '') throw new Error('this is no checkpoint');
  return { origin, size: Number(size), root: Buffer.from(root, 'base64') };
}
