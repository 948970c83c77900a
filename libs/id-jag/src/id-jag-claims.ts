import { authorizationDetailsSchema, confirmationSchema } from '@behalf/oauth';
import { z } from 'zod';

/** The `typ` of an ID-JAG. */
export const idJagType = 'oauth-id-jag+jwt';
export const grantProfile = 'urn:ietf:params:oauth:grant-profile:id-jag';

const text = z.string().min(1);

/** @see draft-ietf-oauth-identity-assertion-authz-grant §3.1 */
export const idJagClaimsSchema = z.looseObject({
  iss: text,
  sub: text,
  client_id: text,
  jti: text.max(500),
  exp: z.int(),
  iat: z.int(),
  resource: z.union([text, z.array(text).min(1)]).optional(),
  scope: z.string().optional(),
  authorization_details: authorizationDetailsSchema.optional(),
  tenant: z.string().optional(),
  auth_time: z.int().optional(),
  acr: text.optional(),
  amr: z.array(text).optional(),
  aud_sub: text.optional(),
  act: z.unknown().optional(),
  cnf: confirmationSchema.optional(),
});
export type IdJagClaims = z.output<typeof idJagClaimsSchema>;
