import { z } from 'zod';

/** `POST {admin}/exchange/explain`: the parameters of a token exchange, and of whom. */
export const explainExchangeRequestSchema = z
  .object({
    client_id: z.string().min(1).describe('The client whose exchange it would be.'),
    proof_jkt: z.string().min(1).optional().describe('Thumbprint of the DPoP key that it would prove.'),
  })
  .catchall(z.union([z.string(), z.array(z.string())]));
export type ExplainExchangeRequest = z.output<typeof explainExchangeRequestSchema>;

const names = z.array(z.string());

/** What an exchange would come to, and why. */
export const exchangeExplanationSchema = z.object({
  outcome: z.enum(['minted', 'refused', 'person_decides']),
  client: z.string(),
  person: z.string().optional(),
  profile: z.enum(['delegation', 'impersonation']).optional(),
  actors: names,
  audiences: names,
  decisionId: z.string().optional(),
  scope: z
    .object({
      terms: z.array(z.object({ term: z.string(), scopes: names })),
      left: names,
      removed: z.array(z.object({ scope: z.string(), by: names })),
    })
    .optional(),
  token: z
    .object({
      typ: z.string(),
      claims: z.record(z.string(), z.unknown()),
      tokenType: z.string(),
      expiresIn: z.number(),
    })
    .optional(),
  refusal: z
    .object({
      reason: z.string(),
      rule: z.string(),
      see: z.string(),
      error: z.string(),
      description: z.string(),
    })
    .optional(),
});
export type ExchangeExplanation = z.output<typeof exchangeExplanationSchema>;
