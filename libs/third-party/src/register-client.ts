import { z } from 'zod';
import { registrationMetadata } from './client-metadata.js';
import type { AuthorizationServer } from './discover-authorization-server.js';
import type { OutboundHttp } from './http.js';
import { retryAfter } from './normalise-token-response.js';
import { UnusableReply } from './provider-failure.js';
import type { RegisteredClient } from './ports.js';

const registrationSchema = z.object({
  client_id: z.string().min(1).max(2_000),
  client_secret: z.string().min(1).max(2_000).optional(),
});

/**
 * Registers us with an authorization server that has no better way (RFC 7591). The answer is to be kept: each further
 * registration is another client there.
 *
 * @throws UnusableReply, TransportFailure, ZodError
 */
export async function registerClient(
  http: OutboundHttp,
  server: Pick<AuthorizationServer, 'issuer'> & { registration_endpoint: string },
  redirectUri: string,
  internalHosts: readonly string[],
): Promise<RegisteredClient> {
  const reply = await http(server.registration_endpoint, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(registrationMetadata([redirectUri])),
    internalHosts,
  });
  if (reply.status !== 201 && reply.status !== 200) throw new UnusableReply(reply.status, retryAfter(reply));
  const given = registrationSchema.parse(JSON.parse(Buffer.from(reply.body).toString()));
  return { issuer: server.issuer, clientId: given.client_id, clientSecret: given.client_secret };
}
