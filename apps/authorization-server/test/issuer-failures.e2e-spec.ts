import { evaluatePolicy } from '@behalf/contracts';
import { FaultyProxy, faults } from '@behalf/local-servers';
import { ExternalProvider } from './external-provider.js';
import { tokenExchange, upstream } from './test-agents.js';
import { basic, TestServer } from './test-server.js';

const ours = 'https://gw.example/mcp';
const callers = 4;
/** Between two attempts to fetch the keys of an issuer. */
const nextAttemptSeconds = 11;

describe('a trusted issuer that is broken', () => {
  let external: ExternalProvider;
  let way: FaultyProxy;
  let server: TestServer;
  let token: string;
  let ofNobody: string;
  beforeAll(async () => {
    // The way is opened before it is known where it leads.
    way = await FaultyProxy.open(0);
    external = await ExternalProvider.start(ours, way.port);
    way.leadTo(external.port);
    token = (await external.tokens('alice')).accessToken;
    const [header, payload] = token.split('.');
    ofNobody = [header, payload, Buffer.alloc(64).toString('base64url')].join('.');
  });
  beforeEach(async () => {
    // Each replica knows the keys that it has fetched itself.
    server = await TestServer.start({
      replicas: 1,
      development: { allowLoopbackFetch: true },
      server: {
        resources: [{ resource: upstream, name: 'Upstream', scopes: ['mcp:tools'] }],
        trustedIssuers: [
          {
            issuer: external.issuer,
            algorithms: ['ES256'],
            people: {
              clients: ['gateway'],
              accessTokens: { audiences: [ours], scopes: ['mcp:tools'] },
            },
          },
        ],
        clients: [
          {
            clientId: 'gateway',
            demoSecret: 'gateway-secret',
            grantTypes: [tokenExchange],
            exchange: { audiences: ['https://*'], scopes: ['mcp:tools'] },
          },
        ],
      },
    });
    server.clock.advanceMs(Date.now() - server.clock.nowMs());
    server.bus.handle(evaluatePolicy, async () => ({ decision: true }));
    await server.bus.announced();
  });
  afterEach(async () => {
    way.mend();
    external.hasNoKeys = false;
    await server.close();
  });
  afterAll(async () => {
    await external.goDown();
    await way.close();
  });

  async function exchange(subject = token): Promise<string> {
    const { status, body } = await server.token(
      {
        grant_type: tokenExchange,
        subject_token: subject,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        resource: upstream,
      },
      basic('gateway', 'gateway-secret'),
    );
    return status === 200 ? 'issued' : String(body.error);
  }
  const severalTimes = async (subject = token): Promise<string[]> => [
    ...new Set(await Promise.all(Array.from({ length: callers }, () => exchange(subject)))),
  ];

  const rows = [
    ...faults.map((fault) => ({ fault, breaks: (): void => way.break(fault) })),
    {
      fault: 'gone',
      breaks: (): void => {
        way.refuses = true;
        way.reset();
      },
    },
    { fault: 'without keys', breaks: (): void => void (external.hasNoKeys = true) },
  ];

  it.each(rows)('$fault: its people go on with the keys that are known', async ({ fault, breaks }) => {
    expect(await exchange()).toBe('issued');
    breaks();
    // Old enough to be looked at again.
    server.clock.advanceSeconds(601);
    // An issuer that says that it has no keys has withdrawn them.
    expect(await severalTimes()).toEqual([fault === 'without keys' ? 'invalid_request' : 'issued']);
    expect(await severalTimes(ofNobody)).toEqual(['invalid_request']);
  });

  it.each(rows)('$fault when no key is known yet: nobody is believed', async ({ fault, breaks }) => {
    breaks();
    const refusal = fault === 'without keys' ? 'invalid_request' : 'temporarily_unavailable';
    // What is slow may come in time, and short answers get through before a connection is cut.
    const mayCome = fault === 'slow' || fault === 'resetting';
    for (const seen of await severalTimes())
      expect(mayCome ? ['issued', refusal] : [refusal]).toContain(seen);
    expect(await severalTimes(ofNobody)).not.toContain('issued');
    way.mend();
    external.hasNoKeys = false;
    server.clock.advanceSeconds(nextAttemptSeconds);
    expect(await severalTimes()).toEqual(['issued']);
    expect(await severalTimes(ofNobody)).toEqual(['invalid_request']);
  });

  it('with a clock five minutes ahead of ours: its tokens are refused until our clock is there', async () => {
    server.clock.advanceSeconds(-300);
    expect(await severalTimes()).toEqual(['invalid_request']);
    server.clock.advanceSeconds(300);
    expect(await severalTimes()).toEqual(['issued']);
  });

  it('with a clock five minutes behind ours: its tokens are taken as long as they have not expired', async () => {
    const { exp = 0 } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    server.clock.advanceSeconds(300);
    expect(await severalTimes()).toEqual(['issued']);
    server.clock.advanceSeconds(exp - server.clock.nowMs() / 1000 + 300);
    expect(await severalTimes()).toEqual(['invalid_request']);
  });
});
