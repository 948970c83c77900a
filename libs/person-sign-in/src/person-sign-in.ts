import { OAuthError } from '@behalf/oauth';
import type { OneTimeStore } from '@behalf/ports';
import type { Request, Response } from 'express';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as client from 'openid-client';
import { z } from 'zod';
import { readCookie } from './read-cookie.js';

const pendingSeconds = 600;
const timeoutSeconds = 5;

const pendingSchema = z.object({
  returnTo: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  browserHash: z.string(),
});

export interface SignedInPerson {
  sub: string;
  name: string;
  groups: string[];
  /** Where they were going, as the service said when it sent them to sign in. */
  returnTo: string;
}

export interface PersonSignInOptions {
  issuer: string;
  /** Where the issuer is reached under one of its URLs. */
  reachIssuer: (url: string) => string;
  publicUrl: string;
  callbackPath: string;
  clientId: string;
  /** Asked each time, since it may change. */
  clientSecret: () => string;
  /** Names the cookies and the one-time state. */
  name: string;
}

/**
 * Sign-in of people at our own issuer, as an OpenID client of it. State is random, used once, and bound to the browser
 * by a cookie, so that nobody finishes what another one began. No token is kept: who the person is, is all that is
 * wanted, so there is nothing that an agent could be given or could steal.
 *
 * @see OpenID Connect Core §3.1, RFC 9700 §4.7
 */
export class PersonSignIn {
  #discovered: Promise<client.Configuration> | undefined;
  readonly #isHttps: boolean;

  constructor(
    private readonly options: PersonSignInOptions,
    private readonly oneTime: OneTimeStore,
  ) {
    this.#isHttps = options.publicUrl.startsWith('https:');
  }

  /**
   * Sends the person to the issuer.
   *
   * @param returnTo a page of the service itself: it is not looked at again when the person comes back
   * @param isAnew also when somebody is signed in there already
   */
  async begin(returnTo: string, response: Response, isAnew = false): Promise<void> {
    const configuration = await this.#discover();
    const state = client.randomState();
    const browser = randomBytes(32).toString('base64url');
    const pending: z.output<typeof pendingSchema> = {
      returnTo,
      nonce: client.randomNonce(),
      codeVerifier: client.randomPKCECodeVerifier(),
      browserHash: sha256(browser),
    };
    await this.oneTime.put(this.#purpose, state, JSON.stringify(pending), pendingSeconds);
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri,
      scope: 'openid profile',
      state,
      nonce: pending.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
      code_challenge_method: 'S256',
      ...(isAnew && { prompt: 'login' }),
    });
    response
      .cookie(this.#cookieFor(state), browser, {
        httpOnly: true,
        sameSite: 'lax',
        secure: this.#isHttps,
        path: '/',
        maxAge: pendingSeconds * 1000,
      })
      .set('Cache-Control', 'no-store')
      .redirect(303, url.href);
  }

  /**
   * Takes the person back.
   *
   * @throws OAuthError `access_denied` when the issuer said no, or this is not the browser that began;
   *   `temporarily_unavailable`
   */
  async finish(request: Request, response: Response): Promise<SignedInPerson> {
    const current = new URL(this.#redirectUri);
    current.search = new URL(request.originalUrl, this.options.publicUrl).search;
    const state = current.searchParams.get('state') ?? '';
    const kept = await this.oneTime.take(this.#purpose, state);
    const pending = kept === undefined ? undefined : pendingSchema.parse(JSON.parse(kept));
    const cookie = readCookie(request, this.#cookieFor(state));
    response.clearCookie(this.#cookieFor(state), { path: '/', secure: this.#isHttps });
    if (!pending || cookie === undefined || !sameDigest(sha256(cookie), pending.browserHash))
      throw new OAuthError('access_denied', 'this sign-in was not begun here, or is over');
    return { ...(await this.#redeem(current, state, pending)), returnTo: pending.returnTo };
  }

  async #redeem(current: URL, state: string, pending: z.output<typeof pendingSchema>) {
    const configuration = await this.#discover();
    try {
      const tokens = await client.authorizationCodeGrant(configuration, current, {
        pkceCodeVerifier: pending.codeVerifier,
        expectedState: state,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      });
      const { sub } = tokens.claims() as client.IDToken;
      const { name, groups } = await client.fetchUserInfo(configuration, tokens.access_token, sub);
      return {
        sub,
        name: typeof name === 'string' ? name : sub,
        groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
      };
    } catch (cause) {
      throw new OAuthError('access_denied', 'the sign-in did not succeed', { cause });
    }
  }

  /** When first needed, and again after a failure: the issuer may start after us. */
  #discover(): Promise<client.Configuration> {
    const { issuer, reachIssuer, clientId, clientSecret } = this.options;
    const authentication: client.ClientAuth = (...request) =>
      client.ClientSecretBasic(clientSecret())(...request);
    this.#discovered ??= client
      .discovery(new URL(issuer), clientId, undefined, authentication, {
        timeout: timeoutSeconds,
        execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
        [client.customFetch]: (url, options) => fetch(reachIssuer(url), options as RequestInit),
      })
      .catch((cause: unknown) => {
        this.#discovered = undefined;
        throw new OAuthError('temporarily_unavailable', 'people cannot sign in at the moment', {
          cause,
          retryAfterSeconds: 5,
        });
      });
    return this.#discovered;
  }

  get #redirectUri(): string {
    return `${this.options.publicUrl}${this.options.callbackPath}`;
  }

  /** One per attempt, so that two tabs do not take each other's. */
  #cookieFor(state: string): string {
    return `${this.#isHttps ? '__Host-' : ''}${this.#purpose}-${sha256(state).slice(0, 16)}`;
  }

  get #purpose(): string {
    return `${this.options.name}-sign-in`;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function sameDigest(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
