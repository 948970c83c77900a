import { z } from 'zod';
import { trustedKeysSchema } from './trusted-issuers-config.js';

const eventNames = ['session-revoked', 'token-claims-change', 'credential-change'] as const;

const receiverSchema = z.strictObject({
  clientId: z
    .string()
    .min(1)
    .describe('A client that has the scope `ssf.manage`: it makes streams and reads them.'),
  audience: z.string().min(1).optional().describe('`aud` of what it is told; its client_id without it.'),
  events: z
    .array(z.enum(eventNames))
    .min(1)
    .default([...eventNames])
    .describe('CAEP events that it may ask for.'),
  subjects: z
    .enum(['opaque', 'iss_sub'])
    .default('opaque')
    .describe(
      '`opaque`: it is told ids of tokens, sessions, grants and agents; `iss_sub`: also which person it is about.',
    ),
  internalHosts: z
    .array(z.string().min(1))
    .default([])
    .describe('Hosts inside our own network that signals may be pushed to; otherwise only public ones.'),
});

const transmitterSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/)
      .describe('It pushes to a path of its own, which ends in this.'),
    issuer: z.url().describe('`iss` of its signals, byte for byte.'),
    ...trustedKeysSchema,
    audience: z.string().min(1).optional().describe('`aud` of its signals; our issuer without it.'),
    authorizationEnv: z
      .string()
      .optional()
      .describe('Environment variable with what it must send in `Authorization` when it pushes.'),
    maxAgeSeconds: z
      .int()
      .min(60)
      .max(7 * 24 * 3600)
      .default(24 * 3600)
      .describe('Signals that were made longer ago are refused.'),
    poll: z
      .strictObject({
        endpoint: z.url().describe('Where its signals for us wait (RFC 8936).'),
        tokenEnv: z.string().describe('Environment variable with the access token for it.'),
        everySeconds: z.int().min(1).max(3600).default(10),
      })
      .optional()
      .describe('Fetches its signals, instead of waiting for them to be pushed.'),
    people: z
      .boolean()
      .default(false)
      .describe(
        'It speaks of people who sign in with it, or whose tokens are exchanged: their tokens and sign-ins end.',
      ),
    provider: z
      .string()
      .optional()
      .describe('It is this one of `elicitation.providers`: connections of the account it speaks of end.'),
  })
  .refine(({ people, provider }) => people || provider !== undefined, {
    path: ['people'],
    message: 'people or provider, or its signals would do nothing',
  });
export type SignalTransmitterConfig = z.output<typeof transmitterSchema>;

/** OpenID Shared Signals: outside receivers that are told, and outside transmitters that are heard. */
export const sharedSignalsSchema = z
  .strictObject({
    defaultSubjects: z
      .enum(['ALL', 'NONE'])
      .default('ALL')
      .describe(
        '`ALL`: a stream tells of everything but what its receiver takes out; `NONE`: of what it names.',
      ),
    receivers: z
      .array(receiverSchema)
      .default([])
      .refine((all) => new Set(all.map(({ clientId }) => clientId)).size === all.length, {
        message: 'two receivers are the same client',
      })
      .describe('Who may be told what has ended or changed here.'),
    transmitters: z
      .array(transmitterSchema)
      .default([])
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
        message: 'two transmitters have the same name',
      })
      .describe('Who may tell us.'),
  })
  .prefault({})
  .describe('OpenID Shared Signals (SSF 1.0, CAEP, RISC).');
