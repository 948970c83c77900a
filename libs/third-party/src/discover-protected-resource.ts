import { canonicalResource, protectedResourceMetadataUrl } from '@behalf/oauth';
import { z } from 'zod';
import { fetchJson } from './fetch-json.js';
import type { OutboundHttp } from './http.js';

const protectedResourceSchema = z.object({
  resource: z.string(),
  authorization_servers: z.array(z.url()).min(1),
  scopes_supported: z.array(z.string()).optional(),
});
export type ProtectedResource = z.output<typeof protectedResourceSchema>;

/**
 * What an MCP server says of its authorization server: at the place its 401 names, else at the well-known places.
 *
 * @throws Error when there is none, or when it speaks for a resource that this server is not part of
 * @see RFC 9728 §3, §5; MCP 2026-07-28 authorization server discovery
 */
export async function discoverProtectedResource(
  http: OutboundHttp,
  server: string,
  internalHosts: readonly string[],
): Promise<ProtectedResource> {
  const named = await metadataUrlInChallenge(http, server, internalHosts);
  const places = [
    named,
    protectedResourceMetadataUrl(server),
    protectedResourceMetadataUrl(new URL(server).origin),
  ];
  for (const url of new Set(places.filter((place) => place !== undefined))) {
    const found = await fetchJson(http, url, protectedResourceSchema, internalHosts);
    if (!found) continue;
    if (!speaksFor(found.resource, server)) throw new Error('the metadata is of another resource');
    return found;
  }
  throw new Error('the server publishes no protected resource metadata');
}

async function metadataUrlInChallenge(
  http: OutboundHttp,
  server: string,
  internalHosts: readonly string[],
): Promise<string | undefined> {
  const accept = 'application/json, text/event-stream';
  const { status, headers } = await http(server, { method: 'GET', headers: { accept }, internalHosts });
  if (status !== 401) return undefined;
  return /\bresource_metadata="([^"\\]+)"/.exec(headers['www-authenticate'] ?? '')?.[1];
}

/** The resource itself, or one that its URL lies below. A token for another origin would be one for somebody else. */
function speaksFor(resource: string, server: string): boolean {
  const [outer, inner] = [canonicalResource(resource), canonicalResource(server)];
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}
