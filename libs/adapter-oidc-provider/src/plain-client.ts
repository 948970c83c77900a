import type { IncomingMessage } from 'node:http';
import { peekClaim } from '@behalf/jwt';
import { grantTypes } from '@behalf/oauth';
import { nowSeconds } from '@behalf/ports';
import type { Provider } from 'oidc-provider';
import { clockToleranceSeconds } from './check-assertion.js';
import { type AssertingClient, jwtBearerAssertion, verifyClientAssertion } from './client-assertion.js';
import type { ProviderDependencies } from './dependencies.js';
import type { Form } from './peek-form.js';
import { claimAssertion } from './replay-detection.js';

/** With any of these the client proves more than a secret or a key, or something else instead. */
const otherProofs = ['dpop', 'oauth-client-attestation', 'oauth-client-attestation-pop'];
const printable = /^[\x20-\x7e]+$/;

/** What a client wants to be known by. Whether it is what it says is not known yet. */
export type PlainCredentials = { clientId: string } & ({ secret: string } | { assertion: string });

/** What of the library's clients is used here. */
export interface PlainClient extends AssertingClient {
  tokenEndpointAuthMethod?: string;
  clientSecretExpiresAt?: number;
  dpopBoundAccessTokens?: boolean;
  tlsClientCertificateBoundAccessTokens?: boolean;
  grantTypeAllowed(type: string): boolean;
  compareClientSecret(presented: string): boolean;
}

/**
 * Reads by what a client authenticates: a secret in the Authorization header or in the body, or a signed assertion.
 *
 * @returns undefined for none, for several, and for what the library might read in another way
 * @see RFC 6749 §2.3.1, RFC 7523 §2.2
 */
export function readPlainCredentials(
  { headers }: Pick<IncomingMessage, 'headers'>,
  form: Form,
): PlainCredentials | undefined {
  if (otherProofs.some((name) => headers[name] !== undefined)) return undefined;
  // Empty is as good as absent (RFC 6749 §3.2).
  const { client_id: named, client_secret: secret, client_assertion: assertion } = form;
  const { client_assertion_type: type } = form;
  const { authorization } = headers;
  if ([authorization, secret, assertion].filter(Boolean).length !== 1) return undefined;
  if (type && !assertion) return undefined;
  const credentials =
    authorization === undefined ? readBody(named, secret, assertion, type) : readBasic(authorization);
  return credentials && (named || credentials.clientId) === credentials.clientId ? credentials : undefined;
}

type Value = Form[string];

function readBody(named: Value, secret: Value, assertion: Value, type: Value): PlainCredentials | undefined {
  if (typeof assertion === 'string' && type === jwtBearerAssertion) {
    const clientId = peekClaim(assertion, 'sub');
    return typeof clientId === 'string' ? { clientId, assertion } : undefined;
  }
  return typeof named === 'string' && typeof secret === 'string' ? { clientId: named, secret } : undefined;
}

function readBasic(authorization: string): PlainCredentials | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) return undefined;
  const text = bytes.toString('latin1');
  const colon = text.indexOf(':');
  const clientId = decodeCredential(text.slice(0, Math.max(colon, 0)));
  const secret = decodeCredential(text.slice(colon + 1));
  return clientId === undefined || secret === undefined ? undefined : { clientId, secret };
}

/** @see RFC 6749 §2.3.1: both are encoded as in a form; appendix A: of what characters they are */
function decodeCredential(encoded: string): string | undefined {
  if (!printable.test(encoded)) return undefined;
  if (!/[%+]/.test(encoded)) return encoded;
  try {
    const decoded = decodeURIComponent(encoded.replaceAll('+', ' '));
    return printable.test(decoded) ? decoded : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Authenticates a client that is about to be served. An assertion is used up by that, as the last thing: whoever calls has
 * nothing left to decide, and the library, should it answer after all, is told what came of it.
 *
 * @returns undefined for whom the library would refuse, or ask for more
 */
export async function authenticatePlainly(
  provider: Provider,
  request: IncomingMessage,
  credentials: PlainCredentials,
  deps: Pick<ProviderDependencies, 'config' | 'oneTime' | 'clock'>,
): Promise<PlainClient | undefined> {
  const client = (await provider.Client.find(credentials.clientId)) as unknown as PlainClient | undefined;
  if (!client || !isPlain(client)) return undefined;
  const { tokenEndpointAuthMethod: method } = client;
  if ('secret' in credentials) {
    const hasSecret = method === 'client_secret_basic' || method === 'client_secret_post';
    return hasSecret && client.compareClientSecret(credentials.secret) ? client : undefined;
  }
  if (method !== 'private_key_jwt') return undefined;
  const expected = {
    issuer: deps.config.authorizationServer.issuer,
    nowSeconds: nowSeconds(deps.clock),
  };
  const { exp, ...claims } = await verifyClientAssertion(client, credentials.assertion, expected);
  const use = { ...claims, issuer: client.clientId, expiresAt: exp + clockToleranceSeconds };
  return (await claimAssertion(request, use, deps)) ? client : undefined;
}

function isPlain(client: PlainClient): boolean {
  return (
    !client.clientSecretExpiresAt &&
    !client.dpopBoundAccessTokens &&
    !client.tlsClientCertificateBoundAccessTokens &&
    client.grantTypeAllowed(grantTypes.tokenExchange)
  );
}
