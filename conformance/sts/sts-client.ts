import { type KeyPair, generateKeyPair, generateProof } from 'dpop';
import { importJWK, type JWK, SignJWT } from 'jose';
import type { StsConfig } from './config.ts';

export type ClientName = keyof StsConfig['clients'];
export type Form = Record<string, string | string[] | undefined>;

export interface StsAnswer {
  status: number;
  headers: Headers;
  /** Empty when the body is no JSON object. */
  body: Record<string, unknown>;
}

export interface AskOptions {
  client?: ClientName | null;
  dpop?: KeyPair | string;
}

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const timeoutMs = 10_000;

/** The token service as its clients see it. */
export class StsClient {
  metadata: Record<string, unknown> = {};
  /** The key of tokens that are bound in these checks. */
  key!: KeyPair;

  readonly config: StsConfig;
  #grant: Record<string, string>;

  constructor(config: StsConfig) {
    this.config = config;
    this.#grant = config.subject.grant;
  }

  async open(): Promise<void> {
    const { issuer } = this.config;
    const url = new URL(issuer);
    const path = url.pathname.replace(/\/$/, '');
    for (const place of [
      `${url.origin}/.well-known/oauth-authorization-server${path}`,
      `${url.origin}${path}/.well-known/openid-configuration`,
    ]) {
      const response = await fetch(place, { signal: AbortSignal.timeout(timeoutMs) });
      if (!response.ok) continue;
      this.metadata = (await response.json()) as Record<string, unknown>;
      this.key = await generateKeyPair('ES256');
      return;
    }
    throw new Error(`${issuer} has no metadata`);
  }

  get tokenEndpoint(): string {
    return String(this.metadata['token_endpoint']);
  }

  proof(
    key: KeyPair = this.key,
    { method = 'POST', url = this.tokenEndpoint, nonce = '' } = {},
  ): Promise<string> {
    return generateProof(key, url, method, nonce === '' ? undefined : nonce);
  }

  /** One request to the token endpoint. With a key it is repeated with the nonce that is asked for. */
  async ask(form: Form, { client = 'exchanger', dpop }: AskOptions = {}): Promise<StsAnswer> {
    const send = async (proof?: string): Promise<StsAnswer> => {
      const body = new URLSearchParams();
      const headers = new Headers({ accept: 'application/json' });
      for (const [name, value] of Object.entries(form))
        for (const one of [value ?? []].flat()) body.append(name, one);
      if (client !== null) await this.#authenticate(client, headers, body);
      if (proof !== undefined) headers.set('dpop', proof);
      const response = await fetch(this.tokenEndpoint, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const parsed = (await response.json().catch(() => ({}))) as unknown;
      const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
      return {
        status: response.status,
        headers: response.headers,
        body: isObject ? (parsed as Record<string, unknown>) : {},
      };
    };
    if (typeof dpop === 'string' || dpop === undefined) return send(dpop);
    const first = await send(await this.proof(dpop));
    const nonce = first.headers.get('dpop-nonce');
    return first.body['error'] === 'use_dpop_nonce' && nonce !== null
      ? send(await this.proof(dpop, { nonce }))
      : first;
  }

  /** An exchange that should succeed, with changes that may make it fail. */
  async exchange(changes: Form = {}, options: AskOptions = {}): Promise<StsAnswer> {
    const { target, scope } = this.config.exchange;
    return this.ask(
      {
        grant_type: exchangeGrant,
        subject_token: changes['subject_token'] ?? (await this.subjectToken()),
        subject_token_type: accessTokenType,
        ...target,
        scope,
        ...changes,
      },
      options,
    );
  }

  /** A fresh access token of the person, bound to a key if one is given. */
  async subjectToken(dpop?: KeyPair): Promise<string> {
    const { status, body } = await this.ask(this.#grant, {
      client: this.config.clients.subject ? 'subject' : 'exchanger',
      ...(dpop && { dpop }),
    });
    if (typeof body['access_token'] !== 'string')
      throw new Error(`no subject token could be had: ${status} ${String(body['error'])}`);
    // A refresh token that was rotated takes the place of the one before.
    const { refresh_token: refreshToken } = body;
    if (this.#grant['refresh_token'] !== undefined && typeof refreshToken === 'string')
      this.#grant = { ...this.#grant, refresh_token: refreshToken };
    return body['access_token'];
  }

  async #authenticate(name: ClientName, headers: Headers, body: URLSearchParams): Promise<void> {
    const client = this.config.clients[name];
    if (!client) throw new Error(`the configuration has no client "${name}"`);
    const { clientId, secret, secretEnv, privateJwk } = client;
    if (privateJwk) {
      const jwk = privateJwk as JWK & { alg?: string; kid?: string };
      const alg = jwk.alg ?? 'ES256';
      const now = Math.floor(Date.now() / 1000);
      const assertion = await new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg, ...(jwk.kid !== undefined && { kid: jwk.kid }) })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(this.config.issuer)
        .setIssuedAt(now)
        .setExpirationTime(now + 60)
        .sign(await importJWK(jwk, alg));
      body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      body.set('client_assertion', assertion);
      return;
    }
    const known = secret ?? (secretEnv === undefined ? undefined : process.env[secretEnv]);
    if (known === undefined) throw new Error(`the client "${name}" has nothing to authenticate with`);
    const credentials = [clientId, known].map((part) =>
      new URLSearchParams({ '': part }).toString().slice(1),
    );
    headers.set('authorization', `Basic ${Buffer.from(credentials.join(':')).toString('base64')}`);
  }
}
