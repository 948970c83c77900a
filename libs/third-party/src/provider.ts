import type { ScopeHierarchy } from '@behalf/oauth';
import type { Forwarding } from './forwarding/forwarding.js';
import type { ProviderWebhook } from './webhook/provider-webhook.js';

/** A third party whose credentials people lend us, as resolved from configuration, preset and environment. */
export type Provider = OAuthProvider | McpProvider | StaticProvider;

interface ProviderBase {
  readonly id: string;
  /** What people are shown. An operator wrote it; it is still to be escaped. */
  readonly name: string;
  /** Resource indicators its tokens are asked for by; the first one stands in connections. Never empty. */
  readonly resources: readonly [string, ...string[]];
  /** Each scope that may be asked for, in words. */
  readonly scopes: Readonly<Record<string, string>>;
  readonly defaultScopes: readonly string[];
  /** Undefined: each scope stands for itself. */
  readonly impliedScopes?: ScopeHierarchy | undefined;
  /** Hosts of this provider inside our own network. No other special-use address is ever dialled for it. */
  readonly internalHosts: readonly string[];
  /** Undefined: nothing of its API is called through us. */
  readonly forwarding?: Forwarding | undefined;
  /** Undefined: it does not tell us when a grant is over. */
  readonly webhook?: ProviderWebhook | undefined;
}

export interface OAuthProvider extends ProviderBase {
  readonly kind: 'oauth';
  /** With an issuer and no endpoints, these are discovered. */
  readonly issuer: string | undefined;
  readonly endpoints: ProviderEndpoints | undefined;
  readonly revocation: ProviderRevocation | undefined;
  /** Where the account of a token is found out. Undefined: in the ID token, if there is one. */
  readonly identity?: ProviderIdentity | undefined;
  readonly client: ProviderClient;
  readonly quirks: Quirks;
}

export interface McpProvider extends ProviderBase {
  readonly kind: 'mcp';
  /** The URL of the MCP server, which is its resource indicator, too. */
  readonly server: string;
  /** Undefined: our metadata document (CIMD), else dynamic registration. */
  readonly client: ProviderClient | undefined;
  readonly quirks: Quirks;
}

export interface StaticProvider extends ProviderBase {
  readonly kind: 'static';
  readonly credential: {
    readonly label: string;
    readonly hint: string | undefined;
    readonly header: string;
    readonly prefix: string;
  };
  readonly probe: {
    readonly url: string;
    readonly method: 'GET' | 'POST';
    readonly account: string | undefined;
  };
}

export interface ProviderEndpoints {
  readonly authorization: string;
  readonly token: string;
}

export interface ProviderIdentity {
  readonly url: string;
  /** Paths of members: of the id, which never changes, and of what people call it. */
  readonly id: string;
  readonly name?: string | undefined;
}

export interface ProviderRevocation {
  readonly style: 'rfc7009' | 'bearer' | 'github';
  readonly endpoint: string;
}

export type ProviderClient =
  | {
      readonly id: string;
      readonly auth: 'client_secret_basic' | 'client_secret_post';
      /** Asked for at every use: it may change while the service runs. */
      readonly secret: () => string;
    }
  | { readonly id: string; readonly auth: 'private_key_jwt'; readonly privateJwk: PrivateJwk }
  | { readonly id: string; readonly auth: 'none' };

export interface PrivateJwk {
  readonly kty: string;
  readonly alg: string;
  readonly kid: string;
  readonly [member: string]: unknown;
}

/** Where a provider leaves the road of the RFCs. */
export interface Quirks {
  readonly pkce: boolean;
  /** Whether it takes `resource` (RFC 8707). */
  readonly sendResource: boolean;
  readonly scopeParameter: string;
  readonly scopeSeparator: ' ' | ',';
  /** Asked for besides, and never looked for in what was granted. */
  readonly addedScopes: readonly string[];
  readonly authorizationParameters: Readonly<Record<string, string>>;
  readonly tokenRequestBody: 'form' | 'json';
  /** The member of the token response that holds the tokens of the person. */
  readonly tokenMember: string | undefined;
  /** `rotating`: a refresh token is used once. */
  readonly refreshTokens: 'rotating' | 'lasting';
  /** How long a refresh token that was used is still answered: for how long a lost response may be asked for again. */
  readonly refreshGraceSeconds: number;
  /** How long access tokens live when the response does not say; undefined: until they are refused. */
  readonly accessTokenSeconds: number | undefined;
}
