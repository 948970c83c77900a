import { z } from 'zod';

const names = z.array(z.string().min(1)).min(1);

/** What an issuer may say of people who are its own, never ours: their `sub` here is `<issuer>#<sub>`. */
export const trustedPeopleSchema = z
  .strictObject({
    clients: names.describe('Clients of ours that may present its tokens at token exchange; nobody else.'),
    accessTokens: z
      .strictObject({
        audiences: names.describe('What they are made out to: one of these.'),
        types: z
          .array(z.string().toLowerCase().min(1))
          .min(1)
          .default(['at+jwt'])
          .describe('`typ` of their header.'),
        scopes: names.describe('The most they are worth here; less if they say less.'),
        scopeClaim: z.string().default('scope').describe('Where they say it, as a text or a list.'),
      })
      .optional()
      .describe('Takes its access tokens.'),
    idTokens: z
      .strictObject({
        audiences: names.describe('Its clients: what they are made out to.'),
        scopes: names.describe('What they are worth here: they say no scope themselves.'),
      })
      .optional()
      .describe('Takes its ID tokens.'),
    groups: z
      .strictObject({
        claim: z.string().default('groups'),
        map: z
          .record(z.string(), z.string())
          .describe('Its name of a group: ours. Others do not come across.'),
      })
      .optional(),
    condition: z
      .string()
      .optional()
      .describe('In CEL, over `claims` and `client`, e.g. `claims.hd == "example.com"`: has to be true.'),
    maxLifetimeSeconds: z
      .int()
      .positive()
      .max(24 * 3600)
      .default(3600)
      .describe('The most its tokens may live.'),
  })
  .refine(({ accessTokens, idTokens }) => accessTokens !== undefined || idTokens !== undefined, {
    message: 'accessTokens or idTokens, or both',
  })
  .refine(
    ({ accessTokens, idTokens }) =>
      !accessTokens?.audiences.some((audience) => idTokens?.audiences.includes(audience)),
    { path: ['idTokens', 'audiences'], message: 'an audience of access tokens cannot be one of ID tokens' },
  );
