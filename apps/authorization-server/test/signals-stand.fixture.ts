import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { SignalTransmitter } from '../src/shared-signals/signal-transmitter.js';
import { SIGNAL_TRANSMITTER } from '../src/tokens.js';
import { TestAgents, tokenExchange } from './test-agents.js';
import { basic } from './test-server.js';

const caep = 'https://schemas.openid.net/secevent/caep/event-type';
export const sessionRevoked = `${caep}/session-revoked`;
export const tokenClaimsChange = `${caep}/token-claims-change`;
export const credentialChange = `${caep}/credential-change`;
export const streamUpdated = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';
export const allEvents = [sessionRevoked, tokenClaimsChange, credentialChange];

export const push = 'urn:ietf:rfc:8935';
export const poll = 'urn:ietf:rfc:8936';
export const secretHeader = 'Bearer what-the-receiver-wants-to-see';
export const pushTo = (url: string) => ({
  method: push,
  endpoint_url: url,
  authorization_header: secretHeader,
});
export const ackOf = (sets: { jti: string }[]) => ({ ack: sets.map(({ jti }) => jti) });

interface SignalClaims {
  jti: string;
  aud: string;
  exp?: number;
  sub?: string;
  sub_id: { format: string; jti: string; session?: object; user?: object };
  events: Record<string, { claims?: object; event_timestamp?: number; state?: string }>;
}
const client = (clientId: string, scopes: string[]): object => ({
  clientId,
  demoSecret: `${clientId}-secret`,
  grantTypes: ['client_credentials', tokenExchange],
  scopes,
});

/** An authorization server that tells outside receivers, with what those ask of it. */
export class SignalsStand {
  private constructor(
    readonly agents: TestAgents,
    /** Of the receiver `siem`, who asks where a test names nobody else. */
    readonly token: string,
  ) {}

  static async start(
    development: Record<string, unknown> = { allowLoopbackFetch: true },
  ): Promise<SignalsStand> {
    const agents = await TestAgents.start({
      replicas: 1,
      development,
      server: {
        // Longer than the hours that pass here.
        lifetimes: { accessTokenSeconds: 24 * 3600 },
        clients: [
          client('operator', ['admin', 'ssf.manage']),
          client('siem', ['ssf.manage', 'ssf.read']),
          client('crm', ['ssf.manage']),
          client('reader', ['ssf.read']),
          {
            ...client('web-app', []),
            grantTypes: ['authorization_code', 'refresh_token'],
            redirectUris: ['https://client.example.com/callback'],
          },
        ],
        sharedSignals: {
          receivers: [
            { clientId: 'siem', audience: 'https://siem.example', subjects: 'iss_sub' },
            { clientId: 'crm' },
            { clientId: 'reader' },
          ],
        },
      },
    });
    return new SignalsStand(agents, await tokenOf(agents, 'siem'));
  }

  close(): Promise<void> {
    return this.agents.close();
  }

  get transmitter(): SignalTransmitter {
    return this.agents.server.service.app.get<SignalTransmitter>(SIGNAL_TRANSMITTER);
  }

  tokenOf(clientId: string, resource?: string): Promise<string> {
    return tokenOf(this.agents, clientId, resource);
  }

  /** Something that a stream tells of. */
  async revoke(id: string): Promise<void> {
    await this.agents.admin('POST', '/revocations', { kind: 'token', id });
  }

  async ask(method: string, path: string, body?: object, as = this.token) {
    const response = await fetch(`${this.agents.server.issuer}/ssf${path}`, {
      method,
      headers: { authorization: `Bearer ${as}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
  }

  async makeStream(delivery: object = { method: poll }, as = this.token, events = allEvents) {
    return (await this.ask('POST', '/streams', { delivery, events_requested: events }, as)).body;
  }

  /** What waits in a polled stream, verified as a receiver does. */
  async take(streamId: string, as = this.token, more: object = {}): Promise<SignalClaims[]> {
    const { body } = await this.ask('POST', `/poll/${streamId}`, { ...more }, as);
    return Promise.all(Object.values(body.sets as Record<string, string>).map((set) => this.verify(set)));
  }

  /** The same, once everything that happened is there, and without waiting for more. */
  async takeNow(streamId: string, as = this.token, more: object = {}): Promise<SignalClaims[]> {
    await this.tellAll();
    return this.take(streamId, as, { returnImmediately: true, ...more });
  }

  /** Resolves when streams have been told of everything that happened. */
  async tellAll(): Promise<void> {
    this.transmitter.wake();
    await this.transmitter.idle();
  }

  async verify(set: string): Promise<SignalClaims> {
    const { issuer } = this.agents.server;
    const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
    return (await jwtVerify<SignalClaims>(set, keys, { typ: 'secevent+jwt', issuer })).payload;
  }
}

async function tokenOf(
  { server }: TestAgents,
  clientId: string,
  resource = `${server.issuer}/ssf`,
): Promise<string> {
  const { body } = await server.token(
    { grant_type: 'client_credentials', resource },
    basic(clientId, `${clientId}-secret`),
  );
  return body.access_token;
}
