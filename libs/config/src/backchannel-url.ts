import type { AuthorizationServerConfig } from './authorization-server-config.js';

/**
 * Where our services reach a URL of the issuer: the same path at `internalUrl`, when one is configured. What a document
 * says stays as it is; only the connection goes elsewhere.
 */
export function backchannelUrl(
  { issuer, internalUrl }: Pick<AuthorizationServerConfig, 'issuer' | 'internalUrl'>,
  url: string,
): string {
  if (internalUrl === undefined) return url;
  const from = new URL(issuer).origin;
  return new URL(url).origin === from ? `${internalUrl}${url.slice(from.length)}` : url;
}
