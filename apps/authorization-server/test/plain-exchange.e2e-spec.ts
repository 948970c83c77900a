import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { AuditRecord } from '@behalf/audit';
import { PROVIDER_HOLDER } from '../src/tokens.js';
import type { ProviderHolder } from '../src/provider-holder.js';
import { agentResource, TestAgents, tokenExchange, upstream } from './test-agents.js';
import { basic, redirectUri } from './test-server.js';

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const secret = basic('gateway', 'gateway-secret');
const encoded = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

/** What differs from a plain exchange by the gateway. A list is a parameter that comes so often. */
interface Case {
  form?: Record<string, string | string[] | undefined>;
  headers?: Record<string, string>;
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
    'a secret in the body',
    { authorization: undefined, form: { client_id: 'gateway', client_secret: 'gateway-secret' } },
  ],
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
  let servedByLibrary = 0;
  beforeAll(async () => {
    agents = await TestAgents.start({ replicas: 1 });
    subject = (await agents.server.signIn()).access_token;
    const holder = agents.server.service.app.get<ProviderHolder>(PROVIDER_HOLDER);
    for (const event of ['grant.success', 'grant.error'])
      holder.current.on(event as 'grant.success', () => (servedByLibrary += 1));
  });
  afterAll(() => agents.close());

  /** @param isWhole in one piece whose length is told; else the library is the one that reads it */
  async function ask({ form = {}, headers = {}, ...given }: Case, isWhole: boolean) {
    const all = {
      grant_type: tokenExchange,
      subject_token: subject,
      subject_token_type: accessTokenType,
      resource: upstream,
      ...form,
    };
    const pairs = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [value].flat().map((one) => [name, one]),
    );
    const body = new URLSearchParams(pairs).toString();
    const authorization = 'authorization' in given ? given.authorization : secret;
    const before = { served: servedByLibrary, recorded: agents.server.audit.length };
    const sent = request(`${agents.server.issuer}/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(authorization !== undefined && { authorization }),
        ...headers,
        ...(isWhole
          ? { 'content-length': String(Buffer.byteLength(body)) }
          : { 'transfer-encoding': 'chunked' }),
      },
    });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const answer = JSON.parse(await text(response)) as Record<string, unknown>;
    return {
      answer: comparable(response.statusCode, response.headers, answer),
      records: agents.server.audit.slice(before.recorded).map(withoutTime),
      servedByLibrary: servedByLibrary - before.served,
    };
  }

  it.each(plain)('with %s is answered as the library would', async (_title, given) => {
    const [ours, librarys] = [await ask(given, true), await ask(given, false)];
    expect(ours.answer.status).toBe(200);
    expect([ours.answer, ours.records]).toEqual([librarys.answer, librarys.records]);
    expect([ours.servedByLibrary, librarys.servedByLibrary]).toEqual([0, 1]);
  });

  it.each(notPlain)('with %s is left to the library, and recorded once', async (_title, given) => {
    const [ours, librarys] = [await ask(given, true), await ask(given, false)];
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
    const before = servedByLibrary;
    setImmediate(() => socket.write(form.slice(20)));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^]*subject_token_type/);
    expect(servedByLibrary).toBe(before + 1);
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

/** Everything but what is another one each time. */
function comparable(
  status: number | undefined,
  headers: IncomingHttpHeaders,
  answer: Record<string, unknown>,
) {
  const { date: _date, 'keep-alive': _keep, 'dpop-nonce': _nonce, ...same } = headers;
  const { access_token: token, ...body } = answer;
  return { status, headers: { ...same, 'content-length': '' }, body: { ...body, token: typeof token } };
}

/** When it was and how long it took is different each time. */
function withoutTime({ occurredAtMs: _when, details = {}, ...record }: AuditRecord): object {
  const { tookMicros: _took, ...rest } = details;
  return { ...record, details: rest };
}
