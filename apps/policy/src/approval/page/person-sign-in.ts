import { OAuthError } from '@behalf/oauth';
import type { OneTimeStore } from '@behalf/ports';
import type { Request, Response } from 'express';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as client from 'openid-client';
import { z } from 'zod';
import type { ApprovalPageConfig, PolicyServiceConfig } from '../../config.js';
import { readCookie } from './read-cookie.js';

const purpose = 'approval-sign-in';
const pendingSeconds = 600;
const timeoutSeconds = 5;

const pendingSchema = z.object({
  requestId: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  browserHash: z.string(),
});

export interface SignedInPerson {
  sub: string;
  name: string;
  groups: string[];
  /** The request that they came to look at. */
  requestId: string;
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
    private readonly urls: Pick<PolicyServiceConfig, 'issuer' | 'reachIssuer' | 'publicUrl'>,
    private readonly page: ApprovalPageConfig,
    private readonly oneTime: OneTimeStore,
  ) {
    this.#isHttps = urls.publicUrl.startsWith('https:');
  }

  /** Sends the person to the issuer. */
  async begin(requestId: string, response: Response): Promise<void> {
    const configuration = await this.#discover();
    const state = client.randomState();
    const browser = randomBytes(32).toString('base64url');
    const pending: z.output<typeof pendingSchema> = {
      requestId,
      nonce: client.randomNonce(),
      codeVerifier: client.randomPKCECodeVerifier(),
      browserHash: sha256(browser),
    };
    await this.oneTime.put(purpose, state, JSON.stringify(pending), pendingSeconds);
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri,
      scope: 'openid profile',
      state,
      nonce: pending.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
      code_challenge_method: 'S256',
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
    current.search = new URL(request.originalUrl, this.urls.publicUrl).search;
    const state = current.searchParams.get('state') ?? '';
    const kept = await this.oneTime.take(purpose, state);
    const pending = kept === undefined ? undefined : pendingSchema.parse(JSON.parse(kept));
    const cookie = readCookie(request, this.#cookieFor(state));
    response.clearCookie(this.#cookieFor(state), { path: '/', secure: this.#isHttps });
    if (!pending || cookie === undefined || !sameDigest(sha256(cookie), pending.browserHash))
      throw new OAuthError('access_denied', 'this sign-in was not begun here, or is over');
    return { ...(await this.#redeem(current, state, pending)), requestId: pending.requestId };
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
    const { issuer, reachIssuer } = this.urls;
    const { clientId, clientSecret } = this.page;
    const authentication = client.ClientSecretBasic(clientSecret);
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
    return `${this.urls.publicUrl}/approvals/callback`;
  }

  /** One per attempt, so that two tabs do not take each other's. */
  #cookieFor(state: string): string {
    return `${this.#isHttps ? '__Host-' : ''}approval-sign-in-${sha256(state).slice(0, 16)}`;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function sameDigest(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
