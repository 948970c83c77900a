import { createHash, randomBytes } from 'node:crypto';
import { browse } from './browse.fixture.js';
import type { DemoSystem } from './demo-system.fixture.js';

export const metadataClientId = 'https://client.demo.example/oauth/metadata.json';
export const redirectUri = 'http://127.0.0.1:47114/callback';

export interface Tokens {
  access_token: string;
  refresh_token?: string;
  token_type: string;
  expires_in: number;
  scope?: string;
}

export interface TokenAnswer {
  status: number;
  headers: Headers;
  body: Tokens & { error?: string };
}

export type Parameters = Record<string, string | undefined>;

/** An authorization URL with PKCE, and the verifier that belongs to it. `undefined` leaves a parameter out. */
export function authorizationRequest(
  system: DemoSystem,
  parameters: Parameters,
): { url: URL; verifier: string } {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(`${system.issuer}${system.config.authorizationServer.paths.authorization}`);
  const all: Parameters = {
    response_type: 'code',
    client_id: metadataClientId,
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
  return { url, verifier };
}

/** Registers a client by RFC 7591. */
export async function register(
  { issuer, config }: DemoSystem,
  metadata: Record<string, unknown>,
): Promise<{ status: number; body: any }> {
  const response = await fetch(`${issuer}${config.authorizationServer.paths.registration}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  });
  return { status: response.status, body: await response.json() };
}

/** Posts to the token endpoint. */
export async function requestToken(
  system: DemoSystem,
  parameters: Parameters,
  basic?: { clientId: string; secret: string },
  headers: Record<string, string> = {},
): Promise<TokenAnswer> {
  const response = await fetch(`${system.issuer}${system.config.authorizationServer.paths.token}`, {
    method: 'POST',
    headers: {
      ...headers,
      ...(basic && {
        authorization: `Basic ${Buffer.from(`${basic.clientId}:${basic.secret}`).toString('base64')}`,
      }),
    },
    body: formOf(parameters),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as TokenAnswer['body'],
  };
}

/** Signs in, consents, and redeems the code. */
export async function signIn(
  system: DemoSystem,
  options: {
    username: string;
    resource: string;
    scope?: string;
    clientId?: string;
    secret?: string;
    /** Of the request that redeems the code. */
    headers?: Record<string, string>;
  },
): Promise<Tokens> {
  const { username, resource, scope, clientId = metadataClientId, secret, headers } = options;
  const { url, verifier } = authorizationRequest(system, { client_id: clientId, resource, scope });
  const { searchParams } = await browse(url, username);
  const answer = await redeem(system, {
    code: searchParams.get('code'),
    verifier,
    clientId,
    secret,
    resource,
    headers,
  });
  if (answer.status !== 200) throw new Error(`no token: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Redeems a code. */
export function redeem(
  system: DemoSystem,
  options: {
    code: string | null;
    verifier: string | undefined;
    resource: string;
    clientId?: string | undefined;
    secret?: string | undefined;
    headers?: Record<string, string> | undefined;
  },
): Promise<TokenAnswer> {
  const { code, verifier, resource, clientId = metadataClientId, secret, headers } = options;
  return requestToken(
    system,
    {
      grant_type: 'authorization_code',
      code: code ?? '',
      code_verifier: verifier,
      redirect_uri: redirectUri,
      resource,
      client_id: secret === undefined ? clientId : undefined,
    },
    secret === undefined ? undefined : { clientId, secret },
    headers,
  );
}

export function refresh(
  system: DemoSystem,
  refreshToken: string | undefined,
  parameters: Parameters = {},
): Promise<TokenAnswer> {
  return requestToken(system, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: metadataClientId,
    ...parameters,
  });
}

export function formOf(parameters: Parameters): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) form.set(name, value);
  return form;
}
