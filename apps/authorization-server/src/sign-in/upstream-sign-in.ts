import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AuthorizationServerConfig } from '@behalf/config';
import { OAuthError } from '@behalf/oauth';
import type { OneTimeStore } from '@behalf/ports';
import type { ConfiguredSecret } from '@behalf/service-kit';
import type { Request, Response } from 'express';
import * as client from 'openid-client';
import { z } from 'zod';

type UpstreamConfig = Extract<AuthorizationServerConfig['signIn'], { method: 'upstream' }>;

const purpose = 'upstream-sign-in';
const timeoutSeconds = 5;

/** What is kept between sending a person away and their coming back. */
const pendingSchema = z.object({
  uid: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  browserHash: z.string(),
});

export interface UpstreamIdentity {
  /** Of our interaction that the person came from. */
  uid: string;
  issuer: string;
  subject: string;
  name: string;
  groups: string[];
}

/**
 * Sign-in at an OpenID provider that people already have. State is random, used once, and bound to the browser by a
 * cookie set with the redirect, so that nobody finishes what another one began.
 *
 * @see OpenID Connect Core §3.1, RFC 9700 §4.7
 */
export class UpstreamSignIn {
  #discovered: Promise<client.Configuration> | undefined;
  readonly #cookie: string;

  constructor(
    private readonly config: AuthorizationServerConfig,
    private readonly upstream: UpstreamConfig,
    private readonly clientSecret: ConfiguredSecret | undefined,
    private readonly oneTime: OneTimeStore,
  ) {
    this.#cookie = config.issuer.startsWith('https:') ? '__Host-sign-in' : 'sign-in';
  }

  /** Sends the person to the upstream. */
  async begin(uid: string, response: Response): Promise<void> {
    const configuration = await this.#discover();
    const state = client.randomState();
    const browser = randomBytes(32).toString('base64url');
    const pending = {
      uid,
      nonce: client.randomNonce(),
      codeVerifier: client.randomPKCECodeVerifier(),
      browserHash: sha256(browser),
    };
    const ttlSeconds = this.config.lifetimes.interactionSeconds;
    await this.oneTime.put(purpose, state, JSON.stringify(pending), ttlSeconds);
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri(),
      scope: this.upstream.scope,
      state,
      nonce: pending.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
      code_challenge_method: 'S256',
    });
    response
      .cookie(this.#cookieFor(state), browser, {
        httpOnly: true,
        sameSite: 'lax',
        secure: this.config.issuer.startsWith('https:'),
        path: '/',
        maxAge: ttlSeconds * 1000,
      })
      .set('Cache-Control', 'no-store')
      .redirect(303, url.href);
  }

  /**
   * Takes the person back.
   *
   * @throws OAuthError `access_denied` when the upstream said no, or this is not the browser that began
   */
  async finish(request: Request, response: Response): Promise<UpstreamIdentity> {
    const url = new URL(request.originalUrl, this.config.issuer);
    const state = url.searchParams.get('state') ?? '';
    const kept = await this.oneTime.take(purpose, state);
    const pending = kept === undefined ? undefined : pendingSchema.parse(JSON.parse(kept));
    const cookie = readCookie(request, this.#cookieFor(state));
    response.clearCookie(this.#cookieFor(state), { path: '/' });
    if (!pending || !cookie || !sameDigest(sha256(cookie), pending.browserHash)) {
      throw new OAuthError('access_denied', 'this sign-in was not begun here, or is over');
    }
    const claims = await this.#redeem(url, state, pending);
    const groups: unknown = claims[this.upstream.groupsClaim];
    return {
      uid: pending.uid,
      issuer: claims.iss,
      subject: claims.sub,
      name: typeof claims['name'] === 'string' ? claims['name'] : claims.sub,
      groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
    };
  }

  async #redeem(url: URL, state: string, pending: z.output<typeof pendingSchema>): Promise<client.IDToken> {
    const current = new URL(this.#redirectUri());
    current.search = url.search;
    try {
      const tokens = await client.authorizationCodeGrant(await this.#discover(), current, {
        pkceCodeVerifier: pending.codeVerifier,
        expectedState: state,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims) return claims;
    } catch (cause) {
      throw new OAuthError('access_denied', 'the sign-in did not succeed', { cause });
    }
    throw new OAuthError('access_denied', 'the sign-in told nothing about the person');
  }

  /** When first needed, and again after a failure: the upstream may start after us. */
  #discover(): Promise<client.Configuration> {
    const { issuer, clientId } = this.upstream;
    const { clientSecret: secret } = this;
    // The secret may have changed since it was discovered.
    const authentication: client.ClientAuth = secret
      ? (...request) => client.ClientSecretPost(secret.newest())(...request)
      : client.None();
    this.#discovered ??= client
      .discovery(new URL(issuer), clientId, undefined, authentication, {
        timeout: timeoutSeconds,
        execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
      })
      .catch((cause: unknown) => {
        this.#discovered = undefined;
        throw new OAuthError('temporarily_unavailable', 'the sign-in service cannot be reached', {
          cause,
          retryAfterSeconds: 5,
        });
      });
    return this.#discovered;
  }

  #redirectUri(): string {
    return `${this.config.issuer}${this.config.paths.signInCallback}`;
  }

  /** One per attempt, so that two tabs do not take each other's. */
  #cookieFor(state: string): string {
    return `${this.#cookie}-${sha256(state).slice(0, 16)}`;
  }
}

function readCookie(request: Request, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([key]) => key === name)?.[1];
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function sameDigest(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
