import { UnmappableRequest } from '@behalf/policy-dialects';
import type { IncomingMessage } from 'node:http';
import { singleHeader } from './single-header.js';

/** nginx is told to send the first of each pair; Caddy and Traefik send the second by themselves. */
const methodHeaders = ['x-original-method', 'x-forwarded-method'];
const uriHeaders = ['x-original-uri', 'x-forwarded-uri'];

/**
 * Method and URIs of the request that a proxy asks about, which its own question does not have.
 *
 * A proxy writes one of the headers and passes on what the client wrote in the other. The attack: a client says in that
 * one that its call of a tool is a GET, which anybody may send who may look around. So two have to agree; and a proxy
 * that says nothing is not asking about a GET because its question is one.
 *
 * @throws UnmappableRequest `refused`
 */
export function proxiedRequestLine(request: Pick<IncomingMessage, 'rawHeaders'>): {
  method: string;
  uris: string[];
} {
  const [method, ...others] = said(request, methodHeaders);
  if (method === undefined) throw new UnmappableRequest('refused', 'the proxy does not say the method');
  if (others.some((other) => other !== method))
    throw new UnmappableRequest('refused', 'the headers differ about the method');
  // Paths may be rewritten on the way, so these may differ, and all of them are looked at.
  return { method, uris: said(request, uriHeaders) };
}

function said(request: Pick<IncomingMessage, 'rawHeaders'>, names: string[]): string[] {
  return names.flatMap((name) => singleHeader(request, name) ?? []);
}
