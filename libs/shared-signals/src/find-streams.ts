import type { RecordReader, StoredRecord } from '@behalf/ports';
import { setRecords, type StreamRecord, streamRecords } from './stream.js';

const maxStreams = 500;

/** The streams of one receiver, or of all. */
export function listStreams(records: RecordReader, receiver?: string): Promise<StoredRecord<StreamRecord>[]> {
  return records.list(streamRecords, {
    limit: maxStreams,
    ...(receiver !== undefined && { where: { receiver } }),
  });
}

/** Whether anything waits for anybody. */
export async function hasWaiting(records: RecordReader): Promise<boolean> {
  return (await records.list(setRecords, { limit: 1 })).length > 0;
}
