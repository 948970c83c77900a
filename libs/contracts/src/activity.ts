import { z } from 'zod';
import { type DescribedEvent, defineEvent, personal } from './define.js';
import type { ServiceName } from './service-access.js';

/** Told of one record of the audit log each, by the record's place in it. */
function defineActivity<T>(
  type: string,
  data: z.ZodType<T>,
  more: { from: ServiceName; tells: string; subject: (data: T) => string | undefined },
): DescribedEvent<T> {
  return defineEvent(type, data, { ...more, stream: 'activity' });
}

const who = {
  client: z.string().optional().describe('The client_id of the authenticated caller.'),
  person: personal(z.string()).optional().describe('The person, by `sub`.'),
  actors: z.array(z.string()).optional().describe('The act chain, the current actor first.'),
  decisionId: z.string().optional().describe('The decision of the policy about it.'),
  traceId: z.string().optional(),
};
const authority = {
  audience: z.string().optional().describe('Whom the token is for; several are separated by spaces.'),
  scope: z.string().optional(),
  txn: z.string().optional().describe('The chain of exchanges that it belongs to.'),
};
const clientOf = ({ client }: { client?: string | undefined }): string | undefined => client;

/** What a client came with. */
export const tokenRequests = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'token_exchange',
  'identity_assertion',
] as const;
const request = z.enum(tokenRequests).describe('What the client came with.');

export const tokenIssued = defineActivity(
  'behalf.token.issued',
  z.object({
    ...who,
    ...authority,
    request,
    grantId: z.string().optional().describe('What the person granted, as it stands in the token.'),
    isAssertion: z
      .boolean()
      .describe('An identity assertion (ID-JAG) for another authorization server, and no access token.'),
  }),
  {
    from: 'authorization-server',
    tells: 'A client has a token that it did not get for another access token.',
    subject: clientOf,
  },
);

export const tokenExchanged = defineActivity(
  'behalf.token.exchanged',
  z.object({
    ...who,
    ...authority,
    profile: z.string().optional().describe('By which the actor may act.'),
    grants: z.array(z.string()).optional().describe('The delegation grants that it was issued by.'),
    cached: z.string().optional().describe('Where the token came from that an equal exchange had before.'),
  }),
  {
    from: 'authorization-server',
    tells: 'A client has exchanged a token, and acts for its person.',
    subject: clientOf,
  },
);

export const tokenRefused = defineActivity(
  'behalf.token.refused',
  z.object({ ...who, ...authority, request, reason: z.string().optional().describe('Why, in one word.') }),
  {
    from: 'authorization-server',
    tells: 'A client that had authenticated was refused a token.',
    subject: clientOf,
  },
);

export const clientRegistered = defineActivity(
  'behalf.client.registered',
  z.object({ client: who.client, traceId: who.traceId }),
  {
    from: 'authorization-server',
    tells: 'A client has registered itself (RFC 7591).',
    subject: clientOf,
  },
);

export const decisionMade = defineActivity(
  'behalf.decision.made',
  z.object({
    ...who,
    person: personal(z.string()).optional().describe('Whom it is about: a person, or an agent by itself.'),
    isPermitted: z.boolean(),
    action: z.string().optional(),
    resourceType: z.string().optional(),
    resource: z.string().optional().describe('By its id; not of MCP resources, whose URI may hold anything.'),
    server: z.string().optional(),
    scope: z.string().optional(),
    reason: z.string().optional().describe('Why, in one word.'),
    policies: z.array(z.string()).optional().describe('Those that determined the decision.'),
    errors: z.array(z.string()).optional().describe('Policies that could not be evaluated.'),
    policyVersion: z.string().optional(),
  }),
  {
    from: 'policy',
    tells: 'The policy has decided.',
    subject: ({ decisionId }) => decisionId,
  },
);
