import type { RecordKind, RecordReader } from '@behalf/ports';
import { z } from 'zod';

/** A signed head of the log, as it was published. */
export interface PublishedHead {
  size: number;
  /** A C2SP signed note. */
  checkpoint: string;
}

/** The head that was published last, by whichever process. */
export const publishedHeads: RecordKind<PublishedHead> = {
  name: 'audit-published-head',
  schema: z.object({ size: z.number().int().nonnegative(), checkpoint: z.string() }),
};
export const latestHead = 'latest';

/** Undefined until a head was published. */
export async function readPublishedHead(records: RecordReader): Promise<PublishedHead | undefined> {
  return (await records.get(publishedHeads, latestHead))?.value;
}
