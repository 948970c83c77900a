import { actClaimSchema, authorizationDetailsSchema, confirmationSchema } from '@behalf/oauth';
import { z } from 'zod';

/**
 * The claims of an access token: RFC 9068 §2.2, `act` and `may_act` of RFC 8693 §4, and ours: `grant_id` (what the
 * person agreed to at sign-in), `delegations` (the delegation grants), `txn` (the chain of exchanges this token belongs
 * to) and `lineage` (the `jti` of every token it came from, oldest first).
 */
export const accessTokenClaimsSchema = z.looseObject({
  iss: z.string(),
  sub: z.string().min(1),
  aud: z.string(),
  client_id: z.string().min(1),
  exp: z.int(),
  iat: z.int(),
  jti: z.string().min(1),
  scope: z.string().default(''),
  act: actClaimSchema.optional(),
  groups: z.array(z.string()).optional(),
  auth_time: z.int().optional(),
  sid: z.string().optional(),
  grant_id: z.string().optional(),
  txn: z.string().optional(),
  // A confirmation that is not understood makes the token unusable: it must not be taken for none.
  cnf: confirmationSchema.optional(),
  authorization_details: authorizationDetailsSchema.optional(),
  lineage: z.array(z.string()).optional(),
  delegations: z.array(z.string()).optional(),
});
export type AccessTokenClaims = z.output<typeof accessTokenClaimsSchema>;
