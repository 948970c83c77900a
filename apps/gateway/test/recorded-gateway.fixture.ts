import { modernRequest } from './clients.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';
import {
  type RecordingUpstream,
  type Reply,
  answerEverything,
  startRecordingUpstream,
} from './recording-upstream.js';

export const call = { name: 'allowed', arguments: { path: '/tmp/x' } };

/** A gateway in front of one upstream over HTTP that exchanges tokens, and that the test answers for. */
export interface RecordedGateway {
  gateway: TestGateway;
  upstream: RecordingUpstream;
  /** Where the gateway serves the upstream. */
  url: string;
  /** Of a person, through one agent. */
  token: string;
  /** How the upstream answers, until the test is over. */
  reply: Reply;
}

/** Stands before the first test of the suite that asks for it; nothing of one test is left for the next. */
export function useRecordedGateway(): RecordedGateway {
  const on = { reply: answerEverything } as RecordedGateway;
  beforeAll(async () => {
    on.upstream = await startRecordingUpstream((seen, response) => on.reply(seen, response));
    on.gateway = await startTestGateway({
      replicas: 1,
      upstreams: {
        tools: {
          transport: 'http',
          url: on.upstream.url,
          token: { kind: 'exchange', resource: 'https://tools.example/mcp', scopes: ['tools:use'] },
          timeoutMs: 5_000,
        },
      },
    });
    on.url = `${on.gateway.url}/mcp/tools`;
    on.token = await on.gateway.tokenFor('tools', { act: { sub: 'agent', client_id: 'agent' } });
    // The first modern request also asks the upstream for its era; later ones know.
    await fetch(on.url, modernRequest('server/discover', {}, { token: on.token }));
  });
  beforeEach(() => {
    on.reply = answerEverything;
    on.upstream.seen.length = 0;
    on.gateway.issuer.exchanges.length = 0;
    on.gateway.policy.asked.length = 0;
    on.gateway.issuer.refuseExchanges(undefined);
  });
  afterAll(async () => {
    await on.gateway.close();
    on.upstream.close();
  });
  return on;
}
