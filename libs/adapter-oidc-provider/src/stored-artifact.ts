import { createHash } from 'node:crypto';
import type { RecordKind } from '@behalf/ports';
import { z } from 'zod';

const artifactSchema = z.looseObject({
  grantId: z.string().optional(),
  uid: z.string().optional(),
  accountId: z.string().optional(),
  /** Of what was issued in a session. */
  sessionUid: z.string().optional(),
  /** Seconds, as oidc-provider reads it. */
  consumed: z.number().optional(),
  consumedAtMs: z.number().optional(),
  graceUses: z.number().optional(),
});
export type StoredArtifact = z.output<typeof artifactSchema>;

/** The kind of record that one of oidc-provider's models is kept under. */
export function artifactRecords(model: string): RecordKind<StoredArtifact> {
  const name = model.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  return {
    name: `oidc-${name}`,
    schema: artifactSchema,
    keys: ({ grantId, uid, accountId, sessionUid }) => ({
      ...(grantId !== undefined && { grantId }),
      ...(uid !== undefined && { uid }),
      ...(model === 'Session' && accountId !== undefined && { accountId }),
      ...(sessionUid !== undefined && { sessionUid }),
    }),
  };
}

/**
 * The id of an artifact's record. A code, a refresh token and a session cookie are their own ids, so the store sees
 * only their digests: a dump of it opens nothing.
 */
export function artifactId(model: string, id: string): string {
  return model === 'Client' ? id : createHash('sha256').update(`${model}\n${id}`).digest('base64url');
}
