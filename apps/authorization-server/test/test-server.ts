import { createHash, randomBytes } from 'node:crypto';
import type { AuditRecord } from '@behalf/audit';
import type { Bus, EventEnvelope, OneTimeStore, RecordStore } from '@behalf/ports';
import type { RunningService } from '@behalf/service-kit';
import { FakeClock, freePort, TestBrowser } from '@behalf/testing';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { redirectUri, testServerConfig, type TestServerOptions } from './test-server-config.fixture.js';
import { type Ground, startOnGround } from './test-server-ground.fixture.js';

export { redirectUri, type TestServerOptions };

export const files = 'http://localhost:4003/mcp/files';
export const whoami = 'http://localhost:4003/mcp/whoami';

export interface Tokens {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & { access_token: string; refresh_token: string; error?: string };
}

/** An authorization server on a free port with a clock to turn: in memory, or on servers. */
export class TestServer {
  readonly browser = new TestBrowser();

  private constructor(
    readonly issuer: string,
    readonly clock: FakeClock,
    /** Everything recorded so far. */
    readonly audit: AuditRecord[],
    private readonly ground: Ground,
  ) {}

  get records(): RecordStore {
    return this.ground.records;
  }

  get oneTime(): OneTimeStore {
    return this.ground.oneTime;
  }

  /** Where the test plays the other services. */
  get bus(): Bus {
    return this.ground.bus;
  }

  get service(): RunningService {
    return this.ground.service;
  }

  /** Moves the clock, and that of the server that counts attempts and keeps what is used once. */
  async passSeconds(seconds: number): Promise<void> {
    this.clock.advanceSeconds(seconds);
    await this.ground.age(seconds);
  }

  /** Every event committed so far. */
  outbox(): Promise<EventEnvelope<unknown>[]> {
    return this.ground.events.after(0, 1_000);
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const given = options.server?.['issuer'] as string | undefined;
    const port = Number(given && new URL(given).port) || (await freePort());
    const issuer = given ?? `http://localhost:${port}`;
    const config = testServerConfig(issuer, port, options);
    const clock = new FakeClock(Date.now());
    const audit: AuditRecord[] = [];
    const ground = await startOnGround({ config, clock, audit, port }, options);
    return new TestServer(issuer, clock, audit, ground);
  }

  close(): Promise<void> {
    return this.ground.close();
  }

  /** Claims of a table, which is written before there is an issuer: `{us}` stands for it. */
  named(claims: object): JWTPayload {
    return JSON.parse(JSON.stringify(claims).replaceAll('{us}', this.issuer)) as JWTPayload;
  }

  authorizationUrl(parameters: Record<string, string | undefined> = {}): URL {
    const url = new URL(`${this.issuer}/auth`);
    const all = {
      client_id: 'web-app',
      response_type: 'code',
      redirect_uri: redirectUri,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      resource: files,
      state: 'the-state',
      ...parameters,
    };
    for (const [name, value] of Object.entries(all))
      if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  /** Signs in and consents; the parameters of the authorization response. */
  async authorize(
    parameters: Record<string, string | undefined> = {},
    person: { username?: string; deny?: boolean; browser?: TestBrowser } = {},
  ): Promise<URLSearchParams> {
    const { username = 'alice', browser = this.browser } = person;
    const target = new URL(parameters['redirect_uri'] ?? redirectUri);
    const url = await browser.signInAndConsent(this.authorizationUrl(parameters), {
      username,
      ...(person.deny !== undefined && { deny: person.deny }),
      stopAt: (at) => at.host === target.host && at.pathname === target.pathname,
    });
    return url.searchParams;
  }

  async token(
    parameters: Record<string, string>,
    /** Null for a public client, which says who it is in the body. */
    authorization: string | null = basic('web-app', 'web-app-secret'),
    headers: Record<string, string> = {},
  ): Promise<Tokens> {
    const response = await this.post('/token', parameters, authorization ?? undefined, headers);
    return {
      status: response.status,
      body: (await response.json()) as Tokens['body'],
      headers: response.headers,
    };
  }

  post(
    path: string,
    parameters: Record<string, string>,
    authorization?: string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.issuer}${path}`, {
      method: 'POST',
      headers: { ...headers, ...(authorization !== undefined && { authorization }) },
      body: new URLSearchParams(parameters),
    });
  }

  redeem(
    code: string | null,
    more: Record<string, string> = {},
    authorization?: string | null,
    headers: Record<string, string> = {},
  ): Promise<Tokens> {
    const parameters = {
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
      resource: files,
      ...more,
    };
    return this.token(parameters, authorization, headers);
  }

  refresh(
    refreshToken: string,
    more: Record<string, string> = {},
    authorization?: string | null,
    headers: Record<string, string> = {},
  ): Promise<Tokens> {
    const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken, ...more };
    return this.token(parameters, authorization, headers);
  }

  /** A whole authorization code flow of the configured web client. */
  async signIn(
    parameters: Record<string, string | undefined> = {},
    person: { username?: string; browser?: TestBrowser } = {},
  ): Promise<Tokens['body']> {
    const { body, status } = await this.redeem((await this.authorize(parameters, person)).get('code'));
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body;
  }

  async introspect(token: string, authorization: string): Promise<Record<string, unknown>> {
    const response = await this.post('/introspect', { token }, authorization);
    return (await response.json()) as Record<string, unknown>;
  }

  async claims(accessToken: string): Promise<JWTPayload & Record<string, unknown>> {
    const keys = createRemoteJWKSet(new URL(`${this.issuer}/jwks`));
    const { payload } = await jwtVerify(accessToken, keys, { typ: 'at+jwt', issuer: this.issuer });
    return payload;
  }

  async register(
    metadata: Record<string, unknown>,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(metadata),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
}

/** How a request ended. */
export const outcome = ({ status, body }: Tokens): unknown[] => [status, body.error];

export const verifier = randomBytes(32).toString('base64url');
export const challenge = createHash('sha256').update(verifier).digest('base64url');

export function basic(clientId: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${secret}`).toString('base64')}`;
}
