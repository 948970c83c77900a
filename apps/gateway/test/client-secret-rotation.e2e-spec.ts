import { setTimeout } from 'node:timers/promises';
import { SecretFile } from '@behalf/testing';
import { modernRequest } from './clients.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';
import { call } from './recorded-gateway.fixture.js';
import { type RecordingUpstream, answerEverything, startRecordingUpstream } from './recording-upstream.js';

/** On servers every request goes to another replica than the one before. */
const inARow = 6;
const seenWithinMs = 30_000;

let file: SecretFile;
let upstream: RecordingUpstream;
let gateway: TestGateway;
beforeAll(async () => {
  file = await SecretFile.create('first');
  upstream = await startRecordingUpstream(answerEverything);
  gateway = await startTestGateway({
    environment: { ROTATED_SECRET_FILE: file.path },
    gateway: { clientSecretEnv: 'ROTATED_SECRET', demoClientSecret: undefined },
    upstreams: {
      tools: {
        transport: 'http',
        url: upstream.url,
        token: { kind: 'exchange', resource: 'https://tools.example/mcp' },
      },
    },
  });
});
afterAll(async () => {
  await gateway?.close();
  upstream?.close();
  await file?.close();
});

/** What the gateway proves itself with now, a call of a new token each time: what is kept of one is not asked for again. */
async function presented(): Promise<Set<string>> {
  gateway.issuer.exchanges.length = 0;
  for (let n = 0; n < inARow; n++) {
    const token = await gateway.tokenFor('tools', { sub: 'alice' });
    const answer = await fetch(`${gateway.url}/mcp/tools`, modernRequest('tools/call', call, { token }));
    expect(answer.status).toBe(200);
  }
  return new Set(
    gateway.issuer.exchanges.map(({ authorization = '' }) =>
      Buffer.from(authorization.replace('Basic ', ''), 'base64').toString(),
    ),
  );
}

it('presents the first secret of its file, and the next one as soon as that is there, in every replica', async () => {
  expect([...(await presented())]).toEqual(['demo-gateway:first']);
  // The next one is good at the authorization server, and not used yet.
  await file.write('first', 'second');
  await setTimeout(1_500);
  expect([...(await presented())]).toEqual(['demo-gateway:first']);
  await file.write('second', 'first');
  const until = performance.now() + seenWithinMs;
  for (;;) {
    const seen = [...(await presented())];
    if (seen.length === 1 && seen[0] === 'demo-gateway:second') break;
    if (performance.now() > until) throw new Error(`it still presents ${seen.join()}`);
    await setTimeout(100);
  }
});
