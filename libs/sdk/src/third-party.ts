import { type McpRequestToName, requestDigest } from './request-digest.js';
import { ThirdPartyTokenError } from './third-party-token-error.js';

export interface ThirdPartyOptions {
  /** Behalf's issuer identifier. */
  issuer: string;
  /** Where its tokens are; what its metadata says without it. */
  tokenEndpoint?: string;
  /** This MCP server as a client of it. */
  clientId: string;
  /** A function where it may change. */
  clientSecret: string | (() => string);
  /** The third party's resource indicator, such as `https://api.github.com`. */
  resource: string;
  /** The least that will do, separated by spaces; what the provider's configuration says without it. */
  scope?: string;
  fetch?: typeof globalThis.fetch;
  /** For one answer of the authorization server, besides what is waited for a person. */
  timeoutMs?: number;
}

export interface ThirdPartyToken {
  kind: 'token';
  accessToken: string;
  tokenType: string;
  expiresInSeconds: number | undefined;
  scope: string;
}

/** The person has to open `url` first; `requestState` comes back with the retry of the same request. */
export interface InteractionRequired {
  kind: 'interaction_required';
  elicitationId: string;
  url: string;
  message: string;
  requestState: string;
  expiresInSeconds: number;
  intervalSeconds: number;
}

export interface TokenRequest {
  /** The token that this server was called with. */
  subjectToken: string;
  request: McpRequestToName;
  requestState?: string | undefined;
  /** How long to wait for a person who is just at it; 25 at most. */
  waitSeconds?: number;
  signal?: AbortSignal | undefined;
}

type Json = Record<string, unknown>;

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const defaultTimeoutMs = 10_000;

/**
 * Tokens of one third party, on behalf of whoever calls this MCP server: by token exchange (RFC 8693) with the token of
 * the call. Keeps nothing: the vault does, and each use is decided anew.
 */
export class ThirdParty {
  #tokenEndpoint: Promise<string> | undefined;
  readonly #fetch: typeof globalThis.fetch;

  constructor(private readonly options: ThirdPartyOptions) {
    this.#fetch = options.fetch ?? globalThis.fetch;
  }

  /** @throws ThirdPartyTokenError */
  async tokenFor(wanted: TokenRequest): Promise<ThirdPartyToken | InteractionRequired> {
    const { status, body, retryAfter } = await this.#exchange(wanted);
    if (status === 200) return readToken(body);
    if (body['error'] === 'interaction_required') return readInteraction(body);
    const code = typeof body['error'] === 'string' ? body['error'] : `status_${status}`;
    throw new ThirdPartyTokenError(code, retryAfter);
  }

  async #exchange({ subjectToken, request, requestState, waitSeconds = 0, signal }: TokenRequest) {
    const { clientId, clientSecret, resource, scope, timeoutMs = defaultTimeoutMs } = this.options;
    const form = new URLSearchParams({
      grant_type: exchangeGrant,
      subject_token: subjectToken,
      subject_token_type: accessTokenType,
      resource,
      ...(scope !== undefined && { scope }),
      request_method: request.method,
      request_name: request.name,
      request_digest: requestDigest(request),
      ...(requestState !== undefined && { request_state: requestState }),
      wait: String(waitSeconds),
    });
    const secret = typeof clientSecret === 'string' ? clientSecret : clientSecret();
    const timeout = AbortSignal.timeout(timeoutMs + waitSeconds * 1000);
    try {
      const response = await this.#fetch(await this.#endpoint(), {
        method: 'POST',
        redirect: 'error',
        headers: {
          accept: 'application/json',
          authorization: `Basic ${btoa([clientId, secret].map(formEncode).join(':'))}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: form.toString(),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      const retryAfter = Number(response.headers.get('retry-after')) || undefined;
      return { status: response.status, body: (await response.json()) as Json, retryAfter };
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof ThirdPartyTokenError) throw cause;
      throw new ThirdPartyTokenError('temporarily_unavailable', 2, { cause });
    }
  }

  /** From the issuer's metadata, which has to name the issuer itself. @see RFC 8414 §3 */
  #endpoint(): Promise<string> {
    const { issuer, tokenEndpoint, timeoutMs = defaultTimeoutMs } = this.options;
    if (tokenEndpoint !== undefined) return Promise.resolve(tokenEndpoint);
    const { origin, pathname } = new URL(issuer);
    const url = `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`;
    this.#tokenEndpoint ??= this.#fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
      .then(async (response) => {
        const metadata = (await response.json()) as Json;
        const { issuer: named, token_endpoint: endpoint } = metadata;
        if (named !== issuer || typeof endpoint !== 'string')
          throw new Error('not the metadata of the issuer');
        return endpoint;
      })
      .catch((cause: unknown) => {
        this.#tokenEndpoint = undefined;
        throw new ThirdPartyTokenError('temporarily_unavailable', 2, { cause });
      });
    return this.#tokenEndpoint;
  }
}

function readToken(body: Json): ThirdPartyToken {
  const { access_token: accessToken, token_type: tokenType, expires_in: expires, scope } = body;
  if (typeof accessToken !== 'string' || typeof tokenType !== 'string')
    throw new ThirdPartyTokenError('malformed_answer');
  return {
    kind: 'token',
    accessToken,
    tokenType,
    expiresInSeconds: typeof expires === 'number' ? expires : undefined,
    scope: typeof scope === 'string' ? scope : '',
  };
}

function readInteraction(body: Json): InteractionRequired {
  const { interaction_uri: url, interaction_message: message, request_state: requestState } = body;
  const { elicitation_id: elicitationId, expires_in: expires, interval } = body;
  const texts = { url, message, requestState, elicitationId };
  for (const value of Object.values(texts))
    if (typeof value !== 'string') throw new ThirdPartyTokenError('interaction_required');
  return {
    kind: 'interaction_required',
    ...(texts as Record<keyof typeof texts, string>),
    expiresInSeconds: typeof expires === 'number' ? expires : 0,
    intervalSeconds: typeof interval === 'number' ? interval : 5,
  };
}

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. */
function formEncode(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1);
}
