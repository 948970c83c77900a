import { OAuthError, grantTypes, tokenTypes } from '@behalf/oauth';
import type { ConfiguredSecret } from '@behalf/service-kit';
import { request } from 'undici';
import { z } from 'zod';

/** Gets a token for a server on behalf of the person whose token is shown. */
export interface TokenExchanger {
  /** @throws OAuthError `access_denied`, or `temporarily_unavailable` */
  exchange(subjectToken: string, resource: string): Promise<string>;
}

const answerSchema = z.object({ access_token: z.string().min(1), token_type: z.string().regex(/^bearer$/i) });
const timeoutMs = 5_000;

export interface TokenEndpoint {
  url: string;
  clientId: string;
  clientSecret: ConfiguredSecret;
}

/** @see RFC 8693 §2.1, RFC 6749 §2.3.1 */
export class TokenEndpointExchanger implements TokenExchanger {
  constructor(private readonly endpoint: TokenEndpoint) {}

  async exchange(subjectToken: string, resource: string): Promise<string> {
    const { url, clientId, clientSecret } = this.endpoint;
    const credentials = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret.newest())}`;
    try {
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({
          grant_type: grantTypes.tokenExchange,
          subject_token: subjectToken,
          subject_token_type: tokenTypes.accessToken,
          resource,
        }).toString(),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer = answerSchema.safeParse(await body.json());
      if (statusCode === 200 && answer.success) return answer.data.access_token;
      if (statusCode < 500) throw new OAuthError('access_denied', 'no token for this server was issued');
    } catch (cause) {
      if (cause instanceof OAuthError) throw cause;
      throw unavailable(cause);
    }
    throw unavailable(undefined);
  }
}

function unavailable(cause: unknown): OAuthError {
  return new OAuthError('temporarily_unavailable', 'the token endpoint does not answer', {
    cause,
    retryAfterSeconds: 2,
  });
}
