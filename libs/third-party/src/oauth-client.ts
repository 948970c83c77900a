import * as client from 'openid-client';
import type { OutboundHttp } from './http.js';
import { normaliseTokenResponse } from './normalise-token-response.js';
import type { ProviderClient, Quirks } from './provider.js';
import type { ProviderMetadata } from './provider-metadata.js';

export interface OAuthClientOptions {
  readonly http: OutboundHttp;
  readonly allowLoopback: boolean;
  readonly internalHosts: readonly string[];
  readonly quirks: Pick<Quirks, 'tokenMember' | 'tokenRequestBody'>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The strict OAuth client, set up for one provider: its requests go through the guarded transport, and what comes back
 * is put into the shape of the RFC before it is judged.
 */
export async function buildOAuthClient(
  metadata: ProviderMetadata,
  { id, ...credentials }: ProviderClient,
  options: OAuthClientOptions,
): Promise<client.Configuration> {
  const server: client.ServerMetadata = {
    // The client wants one to compare with; no provider can send this.
    issuer: metadata.issuer ?? 'urn:behalf:provider-without-issuer',
    authorization_endpoint: metadata.authorizationEndpoint,
    token_endpoint: metadata.tokenEndpoint,
    authorization_response_iss_parameter_supported: metadata.sendsIss,
    ...(metadata.revocation?.style === 'rfc7009' && { revocation_endpoint: metadata.revocation.endpoint }),
  };
  const config = new client.Configuration(server, id, {}, await clientAuthentication(credentials));
  if (options.allowLoopback) client.allowInsecureRequests(config);
  config[client.customFetch] = (url, request) => send(url, request, metadata, options);
  return config;
}

async function clientAuthentication(credentials: Omit<ProviderClient, 'id'>): Promise<client.ClientAuth> {
  const of = credentials as ProviderClient;
  switch (of.auth) {
    case 'client_secret_basic':
      return client.ClientSecretBasic(of.secret());
    case 'client_secret_post':
      return client.ClientSecretPost(of.secret());
    case 'private_key_jwt': {
      const { alg, kid } = of.privateJwk;
      const key = await crypto.subtle.importKey('jwk', of.privateJwk, algorithmOf(alg), false, ['sign']);
      return client.PrivateKeyJwt({ key, kid });
    }
    case 'none':
      return client.None();
  }
}

/** @see RFC 7518 §3.1 */
function algorithmOf(alg: string): RsaHashedImportParams | EcKeyImportParams | Algorithm {
  switch (alg) {
    case 'ES256':
      return { name: 'ECDSA', namedCurve: 'P-256' };
    case 'RS256':
      return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    case 'PS256':
      return { name: 'RSA-PSS', hash: 'SHA-256' };
    case 'EdDSA':
    case 'Ed25519':
      return { name: 'Ed25519' };
    default:
      throw new Error('the private key has an alg that is not supported');
  }
}

async function send(
  url: string,
  request: client.CustomFetchOptions,
  metadata: ProviderMetadata,
  { http, internalHosts, quirks, signal }: OAuthClientOptions,
): Promise<Response> {
  const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
  const isToken = url === new URL(metadata.tokenEndpoint).href;
  const asJson = isToken && quirks.tokenRequestBody === 'json';
  const reply = await http(url, {
    method: 'POST',
    headers: { ...request.headers, ...(asJson && { 'content-type': 'application/json' }) },
    body: asJson ? JSON.stringify(Object.fromEntries(form)) : form.toString(),
    internalHosts,
    signal,
  });
  if (isToken) return normaliseTokenResponse(reply, quirks, metadata.issuer !== undefined);
  return new Response(reply.status === 204 ? null : Buffer.from(reply.body), {
    // Some answer a revocation with 204.
    status: reply.status === 204 ? 200 : reply.status,
    headers: reply.headers,
  });
}
