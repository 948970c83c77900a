import { type ActClaim, actClaimSchema } from '@behalf/oauth';
import { z } from 'zod';

/** The `typ` header: nothing else that is signed can be taken for a decision grant. */
export const decisionGrantType = 'behalf-decision-grant+jwt';

/** The only tenant there is until deployments can have several. */
export const defaultTenant = 'default';

/** The longest a grant may live, whatever its signer says: it is made to be used at once. */
export const maxGrantSeconds = 60;

/**
 * What the policy service permitted: this person, through these actors, may use the credential of this resource with
 * these scopes, once, now.
 */
export interface DecisionGrant {
  iss: string;
  aud: string;
  /** The person. */
  sub: string;
  /** The actors, the current one outermost. */
  act?: ActClaim | undefined;
  /** The client that asked. */
  client_id: string;
  tenant: string;
  /** The third party's resource indicator. */
  resource: string;
  /** The most that may be handed out; the empty string asks for no scope by name. */
  scope: string;
  /** Names the decision in audit. */
  decision_id: string;
  jti: string;
  iat: number;
  exp: number;
}

export const decisionGrantSchema: z.ZodType<DecisionGrant> = z.strictObject({
  iss: z.string().min(1),
  aud: z.string().min(1),
  sub: z.string().min(1),
  act: actClaimSchema.optional(),
  client_id: z.string().min(1),
  tenant: z.string().min(1),
  resource: z.string().min(1),
  scope: z.string(),
  decision_id: z.string().min(1),
  jti: z.string().min(16),
  iat: z.int(),
  exp: z.int(),
});
