import type { EvaluationDecision } from '@behalf/contracts';
import { BothWays, type TokenRequest, type Way } from './both-ways.js';
import { TestAgents, tokenExchange } from './test-agents.js';
import { files, type TestServerOptions } from './test-server.js';

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const ways: readonly Way[] = ['short', 'library'];

export type Decide = () => Promise<EvaluationDecision>;

/** An agent that has been seen, a token that it may exchange, and both ways of asking. */
export async function startAssertionExchange(
  options: TestServerOptions = {},
  create: Record<string, unknown> = {},
) {
  const policy: { decide: Decide } = { decide: async () => ({ decision: true, context: { id: 'd' } }) };
  const agents = await TestAgents.start({ replicas: 1, ...options }, () => policy.decide());
  expect((await agents.create(create)).status).toBe(201);
  const subject = await agents.personToken();
  const both = new BothWays(agents.server);
  const ask = async (assertion: string | string[], way: Way, changes: Partial<TokenRequest> = {}) =>
    both.ask(
      {
        form: {
          grant_type: tokenExchange,
          subject_token: subject,
          subject_token_type: accessTokenType,
          resource: files,
          client_assertion_type: jwtBearer,
          client_assertion: assertion,
          ...changes.form,
        },
        ...(changes.headers && { headers: changes.headers }),
      },
      way,
    );
  return { agents, both, policy, ask, subject };
}
