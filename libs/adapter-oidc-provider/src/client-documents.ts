import CachePolicy from 'http-cache-semantics';
import type { FetchDocument } from './dependencies.js';

/** A key that was withdrawn must not live on for as long as its key set once said. */
const maxKeySetSeconds = 300;

/** For documents that say nothing about caching. RFC 9111 §4.2.2 lets a cache choose. */
const heuristicSeconds = 300;

/**
 * The fetch that oidc-provider reads client metadata documents and their key sets with: pinned documents are answered
 * from memory, everything else goes out. Freshness is judged by RFC 9111 here, since the library reads `max-age` only.
 *
 * @see draft-ietf-oauth-client-id-metadata-document
 */
export function clientDocumentFetch(
  fetch: FetchDocument,
  pinned: ReadonlyMap<string, string>,
): FetchDocument {
  return async (input, init) => {
    const url = String(input);
    const body = pinned.get(url);
    const response =
      body === undefined
        ? await fetch(input, { ...init, redirect: 'manual' })
        : new Response(body, { headers: { 'content-type': 'application/json' } });
    if (response.status !== 200) return response;
    const text = await response.text();
    const longest = isMetadata(url, text) ? Infinity : maxKeySetSeconds;
    return new Response(completeDocument(url, text), {
      headers: { 'cache-control': `max-age=${Math.min(freshSeconds(url, response), longest)}` },
    });
  };
}

function freshSeconds(url: string, response: Response): number {
  const policy = new CachePolicy(
    { url, headers: {} },
    { status: response.status, headers: Object.fromEntries(response.headers) },
    { shared: true },
  );
  const isSilent = !response.headers.has('cache-control') && !response.headers.has('expires');
  return isSilent ? heuristicSeconds : Math.floor(policy.timeToLive() / 1000);
}

/**
 * Completes a metadata document; other JSON (key sets) stays as it is.
 *
 * A document may name no method, or a list. The default of RFC 7591 is a shared secret, which a document cannot have,
 * so the default here is `none`; of a list the strongest is taken for which there are keys.
 *
 * @throws Error for a document without a name, which MCP requires: people are asked about it by that name
 */
function completeDocument(url: string, text: string): string {
  const document = parseObject(text);
  if (document?.['client_id'] !== url) return text;
  const { client_name: name, token_endpoint_auth_methods_supported: listed } = document;
  if (typeof name !== 'string' || name.trim() === '') throw new Error('the document has no client_name');
  if (document['token_endpoint_auth_method'] !== undefined) return text;
  const hasKeys = document['jwks'] !== undefined || document['jwks_uri'] !== undefined;
  const methods: unknown[] = Array.isArray(listed) ? listed : ['none'];
  const isStrong = hasKeys && methods.includes('private_key_jwt') && !methods.includes('none');
  return JSON.stringify({ ...document, token_endpoint_auth_method: isStrong ? 'private_key_jwt' : 'none' });
}

function isMetadata(url: string, text: string): boolean {
  return parseObject(text)?.['client_id'] === url;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
