import { z } from 'zod';
import { defineEvent, defineRequest } from './define.js';

/**
 * `pending`: nobody has looked yet. `opened`: the person it is for has. `consented`: they agreed and are at the
 * provider. The other four are over.
 */
export const elicitationStatuses = [
  'pending',
  'opened',
  'consented',
  'completed',
  'declined',
  'expired',
  'cancelled',
] as const;
export type ElicitationStatus = (typeof elicitationStatuses)[number];

/** The request of an MCP client that needs the token, so that what was begun for one call is not continued by another. */
export const elicitedRequestSchema = z.object({
  method: z.string().min(1).max(100),
  /** The tool, prompt or resource. */
  name: z.string().max(500).optional(),
  /** Of the method, the name and the arguments. */
  digest: z.string().min(16).max(200),
});
export type ElicitedRequest = z.output<typeof elicitedRequestSchema>;

/** What an asker is given to show to the person, and to come back with. */
export const elicitationOfferSchema = z.object({
  id: z.string(),
  status: z.enum(elicitationStatuses),
  /** Holds no credential: it opens nothing for anybody but the person who signs in there. */
  url: z.url(),
  message: z.string(),
  expiresAtMs: z.int(),
  /** Where the asker can learn the status, with a token of its own. */
  pollUrl: z.url(),
  pollIntervalSeconds: z.int(),
  /** Sealed; comes back with the retry of the same request by the same asker. */
  requestState: z.string(),
});
export type ElicitationOffer = z.output<typeof elicitationOfferSchema>;

export const thirdPartyTokenRequestSchema = z.object({
  person: z.string().min(1),
  /** The client that the person uses, which began the chain. */
  client: z.string().min(1),
  /** The act chain, the client that asks first. */
  actors: z.array(z.string().min(1)).min(1).max(5),
  /** What the client and the actors call themselves, by id. */
  names: z.record(z.string(), z.string().max(200)).default({}),
  /** The third party's resource. */
  resource: z.string().min(1),
  scopes: z.array(z.string()),
  /** The decision of the policy that permitted it. */
  decisionId: z.string().optional(),
  /** The same, signed, for one opening of a credential. Without it nothing is opened. */
  decisionGrant: z.string().optional(),
  sid: z.string().optional(),
  grantId: z.string().optional(),
  txn: z.string().optional(),
  request: elicitedRequestSchema.optional(),
  requestState: z.string().max(4_096).optional(),
  /** How long to wait for a person who is just at it. */
  waitSeconds: z.int().min(0).max(25).default(0),
});
export type ThirdPartyTokenRequest = z.output<typeof thirdPartyTokenRequestSchema>;

/** Asks the elicitation service for a third party's token, after the policy permitted it. */
export const requestThirdPartyToken = defineRequest(
  'behalf.elicitation.token.request',
  thirdPartyTokenRequestSchema,
  z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('token'),
      accessToken: z.string().min(1),
      tokenType: z.string(),
      expiresInSeconds: z.int().optional(),
      scopes: z.array(z.string()),
    }),
    z.object({ outcome: z.literal('interaction_required'), elicitation: elicitationOfferSchema }),
  ]),
);

/**
 * Asks the authorization server which client a chain began with, by the grant its person gave, and what everybody in it
 * calls themselves: a token says neither.
 */
export const describeChain = defineRequest(
  'behalf.authorization.chain.describe',
  z.object({
    grantId: z.string().optional(),
    /** The client of the token. */
    clientId: z.string().min(1),
    actors: z.array(z.string().min(1)).max(5),
  }),
  z.object({ client: z.string().min(1), names: z.record(z.string(), z.string()) }),
);

/** A third party told the authorization server that an account there is over: its connections end. Twice is once. */
export const endThirdPartyAccount = defineRequest(
  'behalf.elicitation.account.end',
  z.object({
    provider: z.string().min(1),
    account: z.string().min(1).max(2_000).describe('As the third party calls it.'),
  }),
  z.object({ ended: z.int().min(0) }),
);

export const elicitationChanged = defineEvent(
  'behalf.elicitation.changed',
  z.object({
    id: z.string(),
    status: z.enum(elicitationStatuses),
    provider: z.string().describe('The third party, by its id in the configuration.'),
  }),
  { from: 'elicitation', tells: 'An elicitation has another status. Says nothing of the person.' },
);
