import type { RecordReader } from '@behalf/ports';
import { connectionKind } from './connection.js';
import type { StoredConnection } from './store-connection.js';
import { VaultError } from './vault-error.js';

/** @throws VaultError `not_connected` when there is none */
export async function readConnection(records: RecordReader, id: string): Promise<StoredConnection> {
  const found = await records.get(connectionKind, id);
  if (!found) throw new VaultError('not_connected');
  return found;
}
