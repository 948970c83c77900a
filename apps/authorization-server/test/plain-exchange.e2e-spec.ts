import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { BothWays, type TokenRequest, type Way } from './both-ways.js';
import { agentResource, TestAgents, tokenExchange, upstream } from './test-agents.js';
import { basic, redirectUri } from './test-server.js';

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const secret = basic('gateway', 'gateway-secret');
const encoded = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

/** What differs from a plain exchange by the gateway. */
interface Case extends Partial<TokenRequest> {
  authorization?: string | undefined;
}

/** Those that are answered without the library, and those that it is to answer. */
const plain: [string, Case][] = [
  ['a plain one', {}],
  ['its client named twice', { form: { client_id: 'gateway' } }],
  ['a charset', { headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' } }],
  ['the resource in another spelling', { form: { resource: upstream.replace('https', 'HTTPS') } }],
  ['an audience instead of a resource', { form: { resource: undefined, audience: upstream } }],
  ['its secret encoded', { authorization: encoded('gateway:gateway%2Dsecret') }],
  ['its name encoded', { authorization: encoded('%67ateway:gateway-secret') }],
  [
    'a secret in the body',
    { authorization: undefined, form: { client_id: 'gateway', client_secret: 'gateway-secret' } },
  ],
  ['parameters that are empty', { form: { scope: '', actor_token: '', client_secret: '' } }],
  ['parameters that nobody knows, twice', { form: { nonsense: ['a', 'b'] } }],
  ['what it asks for by name', { form: { scope: 'mcp:tools', requested_token_type: accessTokenType } }],
];
const notPlain: [string, Case][] = [
  ['a wrong secret', { authorization: basic('gateway', 'wrong') }],
  ['an unknown client', { authorization: basic('nobody', 'gateway-secret') }],
  ['a client that may not exchange', { authorization: basic('web-app', 'web-app-secret') }],
  ['another client in the body', { form: { client_id: 'web-app' } }],
  ['a client in the body, twice', { form: { client_id: ['gateway', 'gateway'] } }],
  ['a secret in both places', { form: { client_secret: 'gateway-secret' } }],
  [
    'a wrong secret in the body',
    { authorization: undefined, form: { client_id: 'gateway', client_secret: 'wrong' } },
  ],
  [
    'a secret in the body, twice',
    { authorization: undefined, form: { client_id: 'gateway', client_secret: ['gateway-secret', 'x'] } },
  ],
  ['a secret in the body of nobody', { authorization: undefined, form: { client_secret: 'gateway-secret' } }],
  ['an assertion beside the secret', { form: { client_assertion: 'x.y.z' } }],
  ['no client', { authorization: undefined }],
  ['a client without a secret', { authorization: encoded('gateway:') }],
  ['a secret with a plus sign', { authorization: encoded('gateway:gateway+secret') }],
  ['a secret with an encoded control character', { authorization: encoded('gateway:gateway-secret%0A') }],
  ['a secret encoded twice', { authorization: encoded('gateway:gateway%252Dsecret') }],
  ['a name that ends after an encoded colon', { authorization: encoded('gateway%3Agateway-secret') }],
  ['a secret with half a percent sign', { authorization: encoded('gateway:gateway%-secret') }],
  ['a secret with a control character', { authorization: encoded('gateway:gateway-secret\n') }],
  ['credentials that are no base64', { authorization: 'Basic g@teway' }],
  ['a bearer token', { authorization: 'Bearer x' }],
  ['a DPoP proof that is none', { headers: { dpop: 'x' } }],
  ['an attestation', { headers: { 'oauth-client-attestation': 'x' } }],
  ['a subject token twice', { form: { subject_token: ['a', 'b'] } }],
  ['a grant type twice', { form: { grant_type: [tokenExchange, 'client_credentials'] } }],
  ['no grant type', { form: { grant_type: undefined } }],
  ['a scope with two spaces', { form: { scope: 'mcp:tools  files:write' } }],
  ['a scope in another alphabet', { form: { scope: 'mcp:tool\u0455' } }],
  ['details that are no JSON', { form: { authorization_details: '{' } }],
  ['a type of token that is not issued', { form: { requested_token_type: 'urn:x' } }],
  ['a subject token that is none', { form: { subject_token: 'x' } }],
  ['a target that nobody knows', { form: { resource: 'https://elsewhere.example' } }],
  ['more than the client may', { form: { scope: 'files:write' } }],
  ['a target beyond the ceiling', { form: { resource: agentResource, audience: upstream } }],
  ['JSON', { headers: { 'content-type': 'application/json' } }],
];

describe('a plain exchange', () => {
  let agents: TestAgents;
  let subject: string;
  let ways: BothWays;
  beforeAll(async () => {
    agents = await TestAgents.start({ replicas: 1 });
    subject = (await agents.server.signIn()).access_token;
    ways = new BothWays(agents.server);
  });
  afterAll(() => agents.close());

  function ask({ form = {}, headers = {}, ...given }: Case, way: Way) {
    const all = {
      grant_type: tokenExchange,
      subject_token: subject,
      subject_token_type: accessTokenType,
      resource: upstream,
      ...form,
    };
    const authorization = 'authorization' in given ? given.authorization : secret;
    return ways.ask({ form: all, headers: { authorization, ...headers } }, way);
  }

  it.each(plain)('with %s is answered as the library would', async (_title, given) => {
    const [ours, librarys] = [await ask(given, 'short'), await ask(given, 'library')];
    expect(ours.answer.status).toBe(200);
    expect([ours.answer, ours.records]).toEqual([librarys.answer, librarys.records]);
    expect([ours.servedByLibrary, librarys.servedByLibrary]).toEqual([0, 1]);
  });

  it.each(notPlain)('with %s is left to the library, and recorded once', async (_title, given) => {
    const [ours, librarys] = [await ask(given, 'short'), await ask(given, 'library')];
    expect([ours.answer, ours.records]).toEqual([librarys.answer, librarys.records]);
    expect([ours.servedByLibrary, librarys.servedByLibrary]).toEqual([1, 1]);
    expect(ours.records.length).toBeLessThanOrEqual(1);
  });

  it('whose body comes in pieces is put together by the library', async () => {
    const { host } = new URL(agents.server.issuer);
    const [hostname, port] = host.split(':');
    const form = `grant_type=${encodeURIComponent(tokenExchange)}&subject_token=x&resource=y`;
    const socket = connect(Number(port), hostname);
    const head = `POST /token HTTP/1.1\r\nhost: ${host}\r\nauthorization: ${secret}\r\nconnection: close\r\n`;
    const type = 'content-type: application/x-www-form-urlencoded\r\n';
    socket.write(`${head}${type}content-length: ${form.length}\r\n\r\n${form.slice(0, 20)}`);
    const before = ways.servedByLibrary;
    setImmediate(() => socket.write(form.slice(20)));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^]*subject_token_type/);
    expect(ways.servedByLibrary).toBe(before + 1);
  });
});

it.each(['dpop', 'mtls'])(
  'RFC 9449 §5.2, RFC 8705 §3: no plain exchange gives a token that is bound to nothing where it has to be (%s)',
  async (boundTokens) => {
    const exchange = { audiences: ['*'], scopes: ['mcp:tools'] };
    const client = {
      clientId: 'gateway',
      demoSecret: 'gateway-secret',
      grantTypes: [tokenExchange],
      exchange,
    };
    const operator = { clientId: 'operator', demoSecret: 'operator-secret', scopes: ['admin'] };
    const agents = await TestAgents.start({
      server: {
        clients: [
          { clientId: 'web-app', demoSecret: 'web-app-secret', redirectUris: [redirectUri] },
          { ...client, boundTokens },
          { ...operator, grantTypes: ['client_credentials'] },
        ],
      },
      mutualTls: { enabled: true },
    });
    try {
      const { access_token: token } = await agents.server.signIn();
      const { status, body } = await agents.exchangeAtGateway(token);
      expect([status, body.access_token]).toEqual([400, undefined]);
      expect(body.error).toBe(boundTokens === 'dpop' ? 'invalid_dpop_proof' : 'invalid_grant');
    } finally {
      await agents.close();
    }
  },
);
