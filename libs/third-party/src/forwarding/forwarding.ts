/** What agents may call of a provider's API through us, who put the token in. Nothing else is ever sent. */
export interface Forwarding {
  readonly rules: readonly ForwardRule[];
  /** Headers that are passed on besides the usual ones, in lower case. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
  readonly timeoutMs: number;
}

/** One kind of call. */
export interface ForwardRule {
  /** `https://api.example`: scheme, host and port. */
  readonly origin: string;
  readonly methods: readonly ForwardMethod[];
  /** `/repos/*`: `*` is any one segment, `**` at the end any number of them. */
  readonly paths: readonly string[];
  /** The provider's scopes that such a call needs: what a token must have, and what its person must have agreed to. */
  readonly scopes: readonly string[];
}

export const forwardMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type ForwardMethod = (typeof forwardMethods)[number];
