import { z } from 'zod';
import { agentCredentialSchema, boundTokensSchema, keptAgentCredentialSchema } from './agent-credentials.js';
import { defineEvent } from './define.js';
import { lineOfText, scopeToken } from './text.js';

/** `active` may act; `suspended` may not until it is resumed; `retired` never again. */
export const agentStates = ['active', 'suspended', 'retired'] as const;
export type AgentState = (typeof agentStates)[number];

/** The most an agent can be given. An empty list denies all. */
export const agentCeilingSchema = z.strictObject({
  audiences: z
    .array(z.string().min(1).max(2_000))
    .max(100)
    .describe(
      'Resources it may have tokens for; a `*` at the end is a prefix, and never reaches administration.',
    ),
  scopes: z.array(scopeToken).max(200),
  authorizationDetailsTypes: z.array(z.string().min(1).max(200)).max(100).default([]),
  impersonation: z
    .array(z.string().min(1).max(2_000))
    .max(100)
    .default([])
    .describe(
      'Resources at which its tokens do not name it: it acts as the person. Policy has to permit `impersonate` as well.',
    ),
  maxTargets: z
    .int()
    .min(1)
    .max(10)
    .default(1)
    .describe('The most resources that one token may be for: each of them could use it at the others.'),
  maxChainDepth: z
    .int()
    .min(1)
    .max(5)
    .default(5)
    .describe('The most actors a token may name that it gets by exchange, itself included.'),
});
export type AgentCeiling = z.output<typeof agentCeilingSchema>;

export const agentLifetimesSchema = z.strictObject({
  tokenSeconds: z
    .int()
    .min(1)
    .max(24 * 3600)
    .optional()
    .describe("The most its tokens live; the server's own limits hold as well."),
});

/** A public key as it is kept and published: these members and no others. */
export const publicJwkSchema = z.strictObject({
  kty: z.enum(['EC', 'OKP', 'RSA']),
  kid: z.string().min(1),
  alg: z.string().optional(),
  use: z.literal('sig'),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
});
export type PublicJwk = z.output<typeof publicJwkSchema>;

/** What is kept of an agent. */
export const agentRecordSchema = z.object({
  name: z.string(),
  owner: z.string().describe('Who answers for it.'),
  purpose: z.string(),
  jwks: z.object({ keys: z.array(publicJwkSchema) }).optional(),
  jwksUri: z.string().optional(),
  credential: keptAgentCredentialSchema.optional().describe('How it authenticates if not by its keys.'),
  boundTokens: boundTokensSchema.optional(),
  ceiling: agentCeilingSchema,
  lifetimes: agentLifetimesSchema,
  state: z.enum(agentStates),
  /** Grows with every change of state, even within a millisecond. */
  stateSinceMs: z.int(),
  stateReason: z.string().optional(),
  createdAtMs: z.int(),
  updatedAtMs: z.int(),
});
export type AgentRecord = z.output<typeof agentRecordSchema>;

/** An agent as administrators see it. `version` is its ETag, too. */
export const agentSchema = agentRecordSchema.extend({
  id: z.string().describe('Its client_id.'),
  version: z.int(),
});
export type Agent = z.output<typeof agentSchema>;

/** Judged key by key when it is used: what is wrong with a key is an answer of its own. */
const presentedJwk = z.record(z.string(), z.unknown());

/** `POST {admin}/agents` */
export const createAgentRequestSchema = z
  .strictObject({
    id: z
      .string()
      .max(2_000)
      .optional()
      .describe('A client identifier metadata document URL that the agent already has.'),
    slug: z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/)
      .optional()
      .describe('The last part of an id that is made here; random without it.'),
    name: lineOfText(200),
    owner: lineOfText(320),
    purpose: lineOfText(1_000),
    jwks: z.strictObject({ keys: z.array(presentedJwk).min(1) }).optional(),
    jwksUri: z.string().max(2_000).optional(),
    credential: agentCredentialSchema.optional(),
    boundTokens: boundTokensSchema.optional(),
    ceiling: agentCeilingSchema,
    lifetimes: agentLifetimesSchema.default({}),
  })
  .refine(({ id, slug }) => id === undefined || slug === undefined, {
    path: ['slug'],
    message: 'goes with an id that is made here',
  })
  .refine(
    ({ jwks, jwksUri, credential }) =>
      [jwks, jwksUri, credential].filter((one) => one !== undefined).length === 1,
    { path: ['jwks'], message: 'jwks, jwksUri or credential, one of them' },
  );
export type CreateAgentRequest = z.output<typeof createAgentRequestSchema>;

/** `PATCH {admin}/agents/:id`: what is named is replaced whole. */
export const updateAgentRequestSchema = z.strictObject({
  name: lineOfText(200).optional(),
  owner: lineOfText(320).optional(),
  purpose: lineOfText(1_000).optional(),
  ceiling: agentCeilingSchema.optional(),
  lifetimes: agentLifetimesSchema.optional(),
  credential: agentCredentialSchema
    .optional()
    .describe('Of the method that it has; secrets are added and removed by themselves.'),
});
export type UpdateAgentRequest = z.output<typeof updateAgentRequestSchema>;

/** `POST {admin}/agents/:id/keys` */
export const addAgentKeyRequestSchema = z.strictObject({ key: presentedJwk });

/** `POST {admin}/agents/:id/suspend`, `resume`, `retire` */
export const changeAgentStateRequestSchema = z.strictObject({ reason: lineOfText(1_000).optional() });

/** `GET {admin}/agents` */
export const agentListSchema = z.object({
  agents: z.array(agentSchema),
  next: z.string().optional().describe('`after` of the next page; absent on the last one.'),
});

/** Who changed which agent: the same in every event, so that a listener can take all of them alike. */
const agentEventSchema = z.object({
  id: z.string().describe('The client_id of the agent.'),
  version: z.int(),
  state: z.enum(agentStates),
  by: z.string().describe('The client_id of the administrator.'),
  changed: z.array(z.string()).default([]).describe('What of it is another: names of its members.'),
});
const from = 'authorization-server';
export const agentCreated = defineEvent('behalf.agent.created', agentEventSchema, {
  from,
  tells: 'There is another agent.',
});
export const agentChanged = defineEvent('behalf.agent.changed', agentEventSchema, {
  from,
  tells: 'The description, ceiling, lifetimes or keys of an agent are others; not its state.',
});
export const agentSuspended = defineEvent('behalf.agent.suspended', agentEventSchema, {
  from,
  tells: 'An agent may not act until it is resumed.',
});
export const agentResumed = defineEvent('behalf.agent.resumed', agentEventSchema, {
  from,
  tells: 'An agent that was suspended may act again, with new tokens.',
});
export const agentRetired = defineEvent('behalf.agent.retired', agentEventSchema, {
  from,
  tells: 'An agent may never act again.',
});
