import type { RecordKind } from '@behalf/ports';
import { z } from 'zod';

export const signingAlgorithms = ['ES256', 'RS256'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

/** A public key as it stands in the JWKS. The private members have no place here. @see RFC 7517 §4, RFC 7518 §6 */
export const publicJwkSchema = z.object({
  kid: z.string(),
  use: z.literal('sig'),
  alg: z.enum(signingAlgorithms),
  kty: z.enum(['EC', 'RSA']),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
});
export type PublicJwk = z.infer<typeof publicJwkSchema>;

export const signingKeySchema = z.object({
  /** The RFC 7638 thumbprint. */
  kid: z.string(),
  alg: z.enum(signingAlgorithms),
  publicJwk: publicJwkSchema,
  sealedPrivateJwk: z.string(),
  /** `next` is published but does not sign yet; `retired` is published but signs no more. */
  state: z.enum(['next', 'active', 'retired']),
  createdAtMs: z.number().int(),
  /** Since when it has been in its state. */
  stateSinceMs: z.number().int(),
});
export type SigningKey = z.infer<typeof signingKeySchema>;

export interface SigningKeyKinds {
  /** By `kid`. A retired key's record expires when nothing signed with it can be alive. */
  readonly key: RecordKind<SigningKey>;
  /** One record whose version every change of the keys moves on, so that of two changes at once one is a conflict. */
  readonly ring: RecordKind<{ changedAtMs: number }>;
}

/** The records of the keys for one purpose: no key ever signs for two. */
export function signingKeyKinds(purpose?: string): SigningKeyKinds {
  const prefix = purpose === undefined ? '' : `${purpose}-`;
  return {
    key: {
      name: `${prefix}signing-key`,
      schema: signingKeySchema,
      keys: ({ state }) => ({ state }),
    },
    ring: {
      name: `${prefix}signing-key-ring`,
      schema: z.object({ changedAtMs: z.number().int() }),
    },
  };
}

/** The authorization server's. */
export const signingKeyKind = signingKeyKinds().key;
