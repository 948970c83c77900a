import { z } from 'zod';

const person = z.string().min(1).max(500).describe('The `sub` of a person.');
const providerId = z.string().min(1).max(64).describe('As the configuration calls it.');

/** How a connection to a third party is. Nothing in it opens anything. */
export const connectionHealthSchema = z.object({
  id: z.string(),
  owner: person,
  providerId,
  resource: z.string(),
  scopes: z.array(z.string()),
  status: z.enum(['active', 'needs_consent', 'disconnected']),
  reason: z.string().optional().describe('Why it does not work.'),
  createdAtMs: z.int(),
  statusSinceMs: z.int(),
  accessTokenExpiresAtMs: z.int().optional(),
  isRefreshable: z.boolean(),
  refreshFailures: z.int().describe('Since it was refreshed last.'),
  nextRefreshAtMs: z.int().optional().describe('Not to be tried before.'),
  lastUsedAtMs: z.int().optional(),
  lastUsedBy: z.string().optional().describe('The client that acted.'),
});
export type ConnectionHealth = z.output<typeof connectionHealthSchema>;

export const connectionHealthListSchema = z.object({
  connections: z.array(connectionHealthSchema),
  next: z.string().optional().describe('Goes into `after` for the next page.'),
});

export const endedConnectionSchema = z.object({
  id: z.string(),
  owner: person,
  providerId,
  atProvider: z
    .enum(['revoked', 'unsupported', 'failed', 'ended_there'])
    .describe('`failed`: it is told later. `ended_there`: it was the provider who ended it.'),
});
export type EndedConnection = z.output<typeof endedConnectionSchema>;
export const endedConnectionListSchema = z.object({ ended: z.array(endedConnectionSchema) });

/** `POST people/off-board` */
export const offBoardRequestSchema = z.strictObject({ person });

/** `POST decoys` */
export const plantDecoyRequestSchema = z.strictObject({
  person: person.describe('Somebody who does not exist, named as people are named here.'),
  providerId,
  scopes: z.array(z.string()).default([]),
  accessToken: z
    .string()
    .min(1)
    .max(8192)
    .describe('What a thief finds in it: best something that the provider reports, too.'),
  refreshToken: z.string().min(1).max(8192),
});
export type PlantDecoyRequest = z.output<typeof plantDecoyRequestSchema>;
export const plantedDecoySchema = z.object({ id: z.string() });

/** How far the vault came with moving its data keys to the current key-encryption key. */
export const rewrapRunSchema = z.object({
  keyId: z.string(),
  moved: z.int(),
  failed: z.int().describe('With any, the former key must stay.'),
  startedAtMs: z.int(),
  finishedAtMs: z.int().optional(),
});
