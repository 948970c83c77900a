import { McpError, behalfErrorCodes } from '@behalf/mcp';
import type { IncomingMessage } from 'node:http';

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

export function isLoopbackName(hostname: string): boolean {
  return loopbackNames.has(hostname) || hostname.endsWith('.localhost');
}

export interface OriginRules {
  publicUrl: string;
  listenHost: string;
  allowedOrigins: readonly string[];
}

/**
 * Checks `Host` and `Origin`. A page of any site can make a browser send requests to this machine, and can make its
 * own name resolve here (DNS rebinding); both headers then name the page's site.
 *
 * @returns the origin, when the request comes from an allowed page
 * @throws McpError 403
 * @see MCP 2026-07-28, basic/transports/streamable-http, "Security Warning"
 */
export function checkOrigin(request: IncomingMessage, rules: OriginRules): string | undefined {
  const publicUrl = new URL(rules.publicUrl);
  checkHost(request.headers.host, publicUrl, rules.listenHost);
  const { origin } = request.headers;
  if (origin === undefined) return undefined;
  const allowed =
    origin === publicUrl.origin ||
    rules.allowedOrigins.includes(origin) ||
    (isLoopbackName(publicUrl.hostname) && isLoopbackOrigin(origin));
  if (!allowed) throw forbidden('the Origin is not allowed');
  return origin;
}

function checkHost(host: string | undefined, publicUrl: URL, listenHost: string): void {
  const named = host === undefined ? null : URL.parse(`${publicUrl.protocol}//${host}`);
  if (named === null) throw forbidden('the Host header is missing or malformed');
  const boundToLoopback = isLoopbackName(listenHost.includes(':') ? `[${listenHost}]` : listenHost);
  if (named.host === publicUrl.host || (boundToLoopback && isLoopbackName(named.hostname))) return;
  throw forbidden('the Host is not ours');
}

function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && /^https?:$/.test(url.protocol) && isLoopbackName(url.hostname);
}

function forbidden(reason: string): McpError {
  return new McpError(behalfErrorCodes.denied, `Forbidden: ${reason}`, { status: 403 });
}
