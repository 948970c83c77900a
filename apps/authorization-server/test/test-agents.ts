import {
  type Agent,
  type DelegationGrant,
  type Evaluation,
  type EvaluationDecision,
  evaluatePolicy,
  revocationCreated,
} from '@behalf/contracts';
import { AccessTokenVerifier } from '@behalf/resource-server';
import { followRevocations, RevocationView } from '@behalf/revocation';
import { type CryptoKey, createRemoteJWKSet, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { basic, files, TestServer, type TestServerOptions, type Tokens } from './test-server.js';

/** An agent with an id of its own, so that configuration can name it before there is an issuer. */
export const agentId = 'https://agents.example/reporter';
/** Where people send that agent to work. */
export const agentResource = 'https://reporter.example/agent';
export const upstream = 'https://files.example/mcp';
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

export interface KeyPair {
  privateKey: CryptoKey;
  publicJwk: JWK;
}

export async function keyPair(kid: string, alg = 'ES256'): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid } };
}

export interface Answer {
  status: number;
  body: Agent & { error?: string; agents: Agent[]; grants: DelegationGrant[]; next?: string };
  headers: Headers;
}

/** An authorization server with resources that an agent serves and calls, and policy that permits. */
export class TestAgents {
  private constructor(
    readonly server: TestServer,
    readonly token: string,
    readonly key: KeyPair,
  ) {}

  static async start(
    options: TestServerOptions = {},
    decide: (evaluation: Evaluation) => Promise<EvaluationDecision> = async () => ({
      decision: true,
      context: { id: 'decision-1' },
    }),
  ): Promise<TestAgents> {
    const server = await TestServer.start({
      ...options,
      server: {
        resources: [
          {
            resource: agentResource,
            name: 'Reporter',
            scopes: ['mcp:tools', 'files:write'],
            servedBy: [agentId],
          },
          { resource: upstream, name: 'Upstream', scopes: ['mcp:tools', 'files:write'] },
        ],
        ...options.server,
      },
    });
    server.bus.handle(evaluatePolicy, decide);
    await server.bus.announced();
    const operator = basic('operator', 'operator-secret');
    const parameters = { grant_type: 'client_credentials', resource: `${server.issuer}/admin` };
    const { body } = await server.token(parameters, operator);
    return new TestAgents(server, body.access_token, await keyPair('k'));
  }

  /** With the agent, which has that credential and no keys of its own. */
  static async startWithCredential(credential: object, options: TestServerOptions = {}): Promise<TestAgents> {
    const agents = await TestAgents.start(options);
    const { status, body } = await agents.create({ jwks: undefined, credential });
    expect([status, body.error]).toEqual([201, undefined]);
    return agents;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  async admin(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.server.issuer}/admin${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return {
      status: response.status,
      body: (await response.json()) as Answer['body'],
      headers: response.headers,
    };
  }

  request(changes: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      id: agentId,
      name: 'Reporter',
      owner: 'ops@example.com',
      purpose: 'Writes reports',
      jwks: { keys: [this.key.publicJwk] },
      ceiling: { audiences: [files, upstream], scopes: ['mcp:tools'] },
      ...changes,
    };
  }

  create(changes: Record<string, unknown> = {}): Promise<Answer> {
    return this.admin('POST', '/agents', this.request(changes));
  }

  change(what: 'suspend' | 'resume' | 'retire', id = agentId): Promise<Answer> {
    return this.admin('POST', `/agents/${encodeURIComponent(id)}/${what}`);
  }

  /** By the server's clock, as the tests turn that. */
  async assertion(
    claims: Record<string, unknown> = {},
    { key = this.key.privateKey, header = {} }: { key?: CryptoKey | Uint8Array; header?: object } = {},
  ): Promise<string> {
    const now = Math.floor(this.server.clock.nowMs() / 1000);
    const all = {
      iss: agentId,
      sub: agentId,
      aud: this.server.issuer,
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 60,
      ...claims,
    };
    return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'k', ...header }).sign(key);
  }

  async ask(
    parameters: Record<string, string>,
    assertion?: string,
    headers?: Record<string, string>,
  ): Promise<Tokens> {
    return this.server.token(
      {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion ?? (await this.assertion()),
        ...parameters,
      },
      null,
      headers,
    );
  }

  /** A token in the agent's own name. */
  own(
    more: Record<string, string> = {},
    assertion?: string,
    headers?: Record<string, string>,
  ): Promise<Tokens> {
    return this.ask({ grant_type: 'client_credentials', resource: files, ...more }, assertion, headers);
  }

  /** A token on behalf of whoever the subject token is of. */
  exchange(
    subjectToken: string,
    more: Record<string, string> = {},
    assertion?: string,
    headers?: Record<string, string>,
  ): Promise<Tokens> {
    const parameters = { ...exchangeParameters(subjectToken), resource: files, ...more };
    return this.ask(parameters, assertion, headers);
  }

  /** What the gateway does with what it is presented with. */
  exchangeAtGateway(
    subjectToken: string,
    more: Record<string, string> = {},
    headers?: Record<string, string>,
  ): Promise<Tokens> {
    const parameters = { ...exchangeParameters(subjectToken), resource: upstream, ...more };
    return this.server.token(parameters, basic('gateway', 'gateway-secret'), headers);
  }

  /** A token with which a person sends the agent to work. */
  async personToken(headers?: Record<string, string>): Promise<string> {
    const wanted = { resource: agentResource, scope: 'mcp:tools files:write' };
    const code = (await this.server.authorize(wanted)).get('code');
    const { body } = await this.server.redeem(code, { resource: agentResource }, undefined, headers);
    return body.access_token;
  }

  /** The verifier of another service, which hears of revocations over the bus only. */
  async enforcementPoint(): Promise<{
    verify: (token: string, resource?: string) => Promise<string>;
    revoked: Promise<void>;
    close: () => Promise<void>;
  }> {
    const { bus, clock, issuer } = this.server;
    const view = new RevocationView(clock);
    const following = followRevocations(bus, view, { service: 'test' });
    let heard = (): void => {};
    const revoked = new Promise<void>((resolve) => (heard = resolve));
    const events = bus.subscribe(revocationCreated, (event) => {
      view.add(event.data);
      heard();
    });
    const verifier = new AccessTokenVerifier({
      issuer,
      keys: createRemoteJWKSet(new URL(`${issuer}/jwks`)),
      revocations: view,
      clock,
    });
    return {
      verify: (token, resource = files) =>
        verifier.verify(token, resource).then(
          () => 'accepted',
          (error: { code: string }) => error.code,
        ),
      revoked,
      close: async () => {
        await following.drain();
        await events.drain();
      },
    };
  }
}

function exchangeParameters(subjectToken: string): Record<string, string> {
  return { grant_type: tokenExchange, subject_token: subjectToken, subject_token_type: accessTokenType };
}
