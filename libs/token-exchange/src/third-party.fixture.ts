import type { ThirdPartyTokenRequest } from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { exchangeForThirdParty } from './exchange-for-third-party.js';
import { exchangeFixture, gatewayClient, now, parameters, subjectClaims } from './exchange.fixture.js';
import type { ExchangeParameters, ExchangeRequest, RequestingClient } from './ports.js';
import type { ThirdPartyAnswer, ThirdPartyDependencies } from './third-party-ports.js';

export const drive = {
  resource: 'https://api.drive.example',
  provider: 'drive',
  scopes: ['files.read', 'files.write'],
  defaultScopes: ['files.read'],
};
export const offer = {
  id: 'e-1',
  status: 'pending' as const,
  url: 'https://connect.example/connect?e=e-1',
  message: 'Calendar needs your Drive account.',
  expiresAtMs: (now + 900) * 1000,
  pollUrl: 'https://connect.example/elicitations/e-1',
  pollIntervalSeconds: 3,
  requestState: 'sealed',
};
export const token: Extract<ThirdPartyAnswer, { outcome: 'token' }> = {
  outcome: 'token',
  accessToken: 'drive-token',
  tokenType: 'Bearer',
  expiresInSeconds: 60,
  scopes: ['files.read'],
};
export const client: RequestingClient = {
  ...gatewayClient,
  ceiling: { audiences: [drive.resource], scopes: ['mcp:tools', 'files.read', 'files.write'] },
};

/** An exchange against fakes for a third party that gives these answers, one after another, and then none. */
export function thirdPartyFixture(
  answers: (ThirdPartyAnswer | OAuthError)[] = [token],
  claims = subjectClaims(),
  more: Partial<ThirdPartyDependencies> = {},
) {
  const base = exchangeFixture({ subject: claims });
  const requests: ThirdPartyTokenRequest[] = [];
  let decisions = 0;
  return {
    ...base,
    requests,
    exchange: (changes: ExchangeParameters = {}, requester = client, asked: Partial<ExchangeRequest> = {}) =>
      exchangeForThirdParty(
        {
          client: requester,
          parameters: { ...parameters, resource: drive.resource, ...changes },
          nowSeconds: now,
          ...asked,
        },
        {
          ...base.dependencies,
          decide: async (evaluation) => {
            await base.dependencies.decide(evaluation);
            decisions += 1;
            return {
              decision: true,
              context: { id: `decision-${decisions}`, decision_grant: `grant-${decisions}` },
            };
          },
          findThirdParty: (identifier) => (identifier === drive.resource ? drive : undefined),
          requestThirdPartyToken: async (request) => {
            requests.push(request);
            const answer = answers.shift();
            if (answer instanceof OAuthError) throw answer;
            if (!answer) throw new Error('nobody answers');
            return answer;
          },
          describeChain: async () => ({ client: 'editor', names: { editor: 'Editor' } }),
          ...more,
        },
      ),
  };
}
