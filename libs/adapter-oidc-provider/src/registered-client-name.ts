import type { RecordReader } from '@behalf/ports';
import { artifactId, artifactRecords } from './stored-artifact.js';

/** What a client called itself when it registered; undefined for others. */
export async function registeredClientName(
  records: RecordReader,
  clientId: string,
): Promise<string | undefined> {
  const found = await records.get(artifactRecords('Client'), artifactId('Client', clientId));
  const name = found?.value['client_name'];
  return typeof name === 'string' ? name : undefined;
}
