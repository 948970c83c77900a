import type { RecordTransaction } from '@behalf/ports';
import { writeRevocation } from './revocation-records.js';
import { artifactId, artifactRecords } from './stored-artifact.js';

/** What is issued under a grant and stored. Access tokens for resources are not: they die by the revocation. */
const issuedUnderGrant = ['AccessToken', 'AuthorizationCode', 'RefreshToken'];

/** Ends a grant with everything issued under it: stored artifacts are deleted, access tokens are revoked by `grant_id`. */
export async function revokeGrant(
  transaction: RecordTransaction,
  grantId: string,
  when: { nowMs: number; lifetimeSeconds: number },
): Promise<void> {
  const grant = await transaction.get(artifactRecords('Grant'), artifactId('Grant', grantId));
  await transaction.delete(artifactRecords('Grant'), artifactId('Grant', grantId));
  for (const model of issuedUnderGrant) await deleteArtifactsOfGrant(transaction, model, grantId);
  await writeRevocation(transaction, { kind: 'grant', id: grantId, person: grant?.value.accountId }, when);
}

export async function deleteArtifactsOfGrant(
  transaction: RecordTransaction,
  model: string,
  grantId: string,
): Promise<void> {
  const kind = artifactRecords(model);
  for (;;) {
    const found = await transaction.list(kind, { where: { grantId } });
    for (const record of found) await transaction.delete(kind, record.id);
    if (found.length === 0) return;
  }
}
