import { authorizationDetailsSchema } from '@behalf/oauth';
import { z } from 'zod';
import { defineEvent } from './define.js';
import { lineOfText, scopeToken } from './text.js';

/** How a grant came to be: agreed to at sign-in, made by an administrator, or agreed to when an agent asked for it. */
export const delegationGrantOrigins = ['sign-in', 'administrator', 'request'] as const;
export type DelegationGrantOrigin = (typeof delegationGrantOrigins)[number];

/** What is kept of a grant: who may act for whom, where, how far, what for and until when. */
export const delegationGrantRecordSchema = z.object({
  person: z.string().describe('Their `sub`.'),
  agent: z.string().describe('The client_id of who may act for them.'),
  resource: z.string(),
  scopes: z.array(z.string()),
  authorizationDetails: authorizationDetailsSchema.describe('RFC 9396. None: none are carried.'),
  purpose: z.string(),
  origin: z.enum(delegationGrantOrigins),
  madeBy: z.string().describe('The person, or the client_id of the administrator.'),
  state: z.enum(['active', 'expired', 'revoked']),
  createdAtMs: z.int(),
  updatedAtMs: z.int(),
  expiresAtMs: z.int(),
  endedBy: z.string().optional(),
});
export type DelegationGrantRecord = z.output<typeof delegationGrantRecordSchema>;

export const delegationGrantSchema = delegationGrantRecordSchema.extend({
  id: z.string().describe('The `grant_id` of the tokens that are issued by it.'),
  version: z.int(),
  lastUsedAtMs: z.int().optional().describe('To the minute.'),
});
export type DelegationGrant = z.output<typeof delegationGrantSchema>;

const scopes = z.array(scopeToken).min(1).max(200);
const year = 366 * 24 * 3600;

/** `POST {admin}/grants` */
export const createDelegationGrantRequestSchema = z.strictObject({
  person: z.string().min(1).max(500),
  agent: z.string().min(1).max(2_000),
  resource: z.string().min(1).max(2_000),
  scopes,
  authorizationDetails: authorizationDetailsSchema.default([]),
  purpose: lineOfText(1_000),
  lifetimeSeconds: z.int().min(60).max(year).optional().describe("The deployment's own without it."),
});
export type CreateDelegationGrantRequest = z.output<typeof createDelegationGrantRequestSchema>;

/** `PATCH {admin}/grants/:id`: what is named takes the place of what was there, and must be less. */
export const narrowDelegationGrantRequestSchema = z.strictObject({
  scopes: scopes.optional(),
  authorizationDetails: authorizationDetailsSchema.optional(),
  expiresAtMs: z.int().optional(),
});
export type NarrowDelegationGrantRequest = z.output<typeof narrowDelegationGrantRequestSchema>;

/** `GET {admin}/grants` */
export const delegationGrantListSchema = z.object({
  grants: z.array(delegationGrantSchema),
  next: z.string().optional().describe('`after` of the next page; absent on the last one.'),
});

/** The person is left out: who listens needs the grant only. */
const delegationGrantEventSchema = z.object({
  id: z.string().describe('The `grant_id` of the tokens that are issued by it.'),
  version: z.int(),
  agent: z.string().describe('The client_id of who may act.'),
  resource: z.string(),
});
const from = 'authorization-server';
export const delegationGrantMade = defineEvent('behalf.delegation-grant.made', delegationGrantEventSchema, {
  from,
  tells: 'An agent may act for a person at a resource.',
});
export const delegationGrantRenewed = defineEvent(
  'behalf.delegation-grant.renewed',
  delegationGrantEventSchema,
  { from, tells: 'The person agreed to the same once more: the grant lasts longer.' },
);
export const delegationGrantNarrowed = defineEvent(
  'behalf.delegation-grant.narrowed',
  delegationGrantEventSchema,
  { from, tells: 'The agent may do less than before, or for a shorter time.' },
);
export const delegationGrantRevoked = defineEvent(
  'behalf.delegation-grant.revoked',
  delegationGrantEventSchema,
  { from, tells: 'The agent may no longer act by this grant.' },
);
