import { OAuthError } from '@behalf/oauth';
import { readCookie } from '@behalf/person-sign-in';
import type { OneTimeStore } from '@behalf/ports';
import type { PendingAuthorization, Provider, ProviderTokens, ThirdParties } from '@behalf/third-party';
import { flowSeconds } from '@behalf/elicitation';
import type { Request, Response } from 'express';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

const purpose = 'provider-round-trip';

const tripSchema = z.object({
  elicitation: z.string(),
  /** Of the elicitation's record, after the person agreed. */
  version: z.int(),
  person: z.string(),
  browserHash: z.string(),
  pending: z.custom<PendingAuthorization>((value) => typeof value === 'object' && value !== null),
});
export type ProviderTrip = z.output<typeof tripSchema>;

/**
 * The way to the provider and back. Its state is random, made only after the person agreed, kept on our side, used
 * once, over after ten minutes, and bound to the browser by a cookie that is set with the redirect.
 *
 * @see MCP security best practices, "Confused Deputy Problem"; RFC 9700 §4.4, §4.7
 */
export class ProviderRoundTrip {
  readonly #isHttps: boolean;

  constructor(
    private readonly thirdParties: ThirdParties,
    private readonly oneTime: OneTimeStore,
    private readonly options: { publicUrl: string; callbackPath: string },
  ) {
    this.#isHttps = options.publicUrl.startsWith('https:');
  }

  /** Sends the browser to the provider. @throws ThirdPartyError before anything was kept or sent */
  async begin(
    provider: Provider,
    trip: Pick<ProviderTrip, 'elicitation' | 'version' | 'person'> & { scopes: readonly string[] },
    response: Response,
  ): Promise<void> {
    const state = randomBytes(32).toString('base64url');
    const browser = randomBytes(32).toString('base64url');
    const { url, pending } = await this.thirdParties.authorizationUrl(provider, {
      redirectUri: `${this.options.publicUrl}${this.options.callbackPath}/${provider.id}`,
      state,
      scopes: trip.scopes,
    });
    const { elicitation, version, person } = trip;
    const kept: ProviderTrip = { elicitation, version, person, browserHash: sha256(browser), pending };
    await this.oneTime.put(purpose, state, JSON.stringify(kept), flowSeconds);
    response
      .cookie(this.#cookieFor(state), browser, {
        httpOnly: true,
        // Lax, because the provider sends the person back from its own site.
        sameSite: 'lax',
        secure: this.#isHttps,
        path: '/',
        maxAge: flowSeconds * 1000,
      })
      .set('Cache-Control', 'no-store')
      .redirect(303, url);
  }

  /**
   * The trip that a callback ends. Whoever brings the state uses it up, whether or not it was theirs.
   *
   * @throws OAuthError `access_denied` for a state that is unknown, over or used, or of another browser or provider
   */
  async end(providerId: string, request: Request, response: Response): Promise<ProviderTrip> {
    const state = this.#parameters(request).get('state') ?? '';
    const kept = await this.oneTime.take(purpose, state);
    const trip = kept === undefined ? undefined : tripSchema.parse(JSON.parse(kept));
    const cookie = readCookie(request, this.#cookieFor(state));
    response.clearCookie(this.#cookieFor(state), { path: '/', secure: this.#isHttps });
    const isOurs = trip !== undefined && cookie !== undefined && sameDigest(sha256(cookie), trip.browserHash);
    // Each provider has a callback of its own: an answer at another one's is a mix-up, and goes no further.
    if (!isOurs || trip.pending.providerId !== providerId)
      throw new OAuthError(
        'access_denied',
        'this connection was not begun in this browser, or it took too long',
      );
    return trip;
  }

  /** @throws ThirdPartyError */
  redeem(provider: Provider, { pending }: ProviderTrip, request: Request): Promise<ProviderTokens> {
    return this.thirdParties.redeemCode(provider, pending, this.#parameters(request));
  }

  #parameters(request: Request): URLSearchParams {
    return new URL(request.originalUrl, this.options.publicUrl).searchParams;
  }

  /** One per trip, so that two tabs do not take each other's. */
  #cookieFor(state: string): string {
    return `${this.#isHttps ? '__Host-' : ''}provider-${sha256(state).slice(0, 16)}`;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function sameDigest(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
