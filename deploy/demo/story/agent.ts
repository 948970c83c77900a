import { grantTypes, tokenTypes } from '@behalf/oauth';
import type { HeadlessBrowser } from '@behalf/headless-browser';
import * as openid from 'openid-client';

const redirectUri = 'http://127.0.0.1/callback';

/** What a person has to decide before an agent can go on. */
export interface Question {
  url: string;
  requestId: string;
}

/** The demo agent: signs a person in for itself, then acts on their behalf at the gateway by token exchange. */
export class Agent {
  private constructor(private readonly config: openid.Configuration) {}

  static async discover(issuer: string, clientId: string, secret: string): Promise<Agent> {
    return new Agent(
      await openid.discovery(new URL(issuer), clientId, undefined, openid.ClientSecretBasic(secret), {
        algorithm: 'oauth2',
        // The demo has no TLS.
        execute: [openid.allowInsecureRequests],
      }),
    );
  }

  /** The person's token for the agent: `aud` is the agent, nobody else can use it. */
  async tokenFrom(username: string, browser: HeadlessBrowser, resource: string): Promise<string> {
    const verifier = openid.randomPKCECodeVerifier();
    const state = openid.randomState();
    const url = openid.buildAuthorizationUrl(this.config, {
      redirect_uri: redirectUri,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      resource,
      scope: 'mcp:tools',
    });
    const callback = await browser.signInAndConsent(url, {
      username,
      stopAt: (address) => address.href.startsWith(redirectUri),
    });
    const tokens = await openid.authorizationCodeGrant(
      this.config,
      callback,
      { pkceCodeVerifier: verifier, expectedState: state },
      { resource },
    );
    return tokens.access_token;
  }

  /**
   * On behalf of the person: the same `sub`, the agent as `act`, only the target as `aud`. Where the person has to agree
   * first the answer is where they do, and with its `requestId` the agent asks again.
   *
   * @see RFC 8693
   */
  async exchange(subjectToken: string, resource: string, requestId?: string): Promise<string | Question> {
    try {
      const tokens = await openid.genericGrantRequest(this.config, grantTypes.tokenExchange, {
        subject_token: subjectToken,
        subject_token_type: tokenTypes.accessToken,
        resource,
        ...(requestId !== undefined && { request_id: requestId }),
      });
      return tokens.access_token;
    } catch (error) {
      if (!(error instanceof openid.ResponseBodyError) || error.error !== 'interaction_required') throw error;
      const { interaction_uri: url, request_id: id } = error.cause as Record<string, string>;
      return { url: url ?? '', requestId: id ?? '' };
    }
  }
}
