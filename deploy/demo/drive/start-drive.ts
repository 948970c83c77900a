import { exportJWK, generateKeyPair } from 'jose';
import { Provider, interactionPolicy } from 'oidc-provider';
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { driveConsentPage, driveErrorPage, driveSignInPage } from './drive-pages.js';
import { memoryStorage } from './memory-storage.js';

export interface DriveOptions {
  /** Where it listens; on the port of its issuer without one. */
  host?: string;
  port?: number | undefined;
  issuer: string;
  /** Where Behalf takes people back. */
  redirectUri: string;
  clientSecret: string;
}

const scopes = ['files.read', 'files.write'];
const accessTokenSeconds = 300;

/**
 * A third party that knows nothing of Behalf: an OAuth provider with accounts of its own, which rotates refresh tokens,
 * and an API at `/api/files` that answers whoever has one of its tokens.
 */
export async function startDrive(options: DriveOptions): Promise<{ close(): Promise<void> }> {
  const provider = await createDriveProvider(options);
  const callback = provider.callback();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', options.issuer);
    if (pathname.startsWith('/interaction/')) return interact(provider, request, response);
    if (pathname === '/api/files') return answerFiles(provider, request, response);
    await callback(request, response);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? Number(new URL(options.issuer).port), options.host ?? '127.0.0.1', resolve);
  });
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function createDriveProvider({ issuer, redirectUri, clientSecret }: DriveOptions): Promise<Provider> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'behalf',
        client_name: 'Behalf',
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    adapter: memoryStorage(),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: 'sig' }] },
    scopes: [...scopes],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    ttl: {
      AccessToken: accessTokenSeconds,
      Session: 3_600,
      Grant: 86_400,
      Interaction: 600,
      RefreshToken: 86_400,
    },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    features: {
      devInteractions: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
    },
    interactions: { policy: interactionPolicy.base(), url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    renderError: (ctx, { error }) => {
      ctx.type = 'html';
      ctx.body = driveErrorPage(error);
    },
  });
}

/** Whoever names an account is that account: it is a demo of Behalf, not of this. */
async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { uid, prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const scope = typeof params['scope'] === 'string' ? params['scope'] : '';
  const action = `/interaction/${uid}`;
  if (request.method !== 'POST') {
    const asked = scope.split(' ').filter(Boolean);
    const html =
      prompt.name === 'login'
        ? driveSignInPage(action)
        : driveConsentPage(action, session?.accountId ?? '', String(params['client_id']), asked);
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
      .end(html);
    return;
  }
  const form = new URLSearchParams(await textOf(request));
  const merge = { mergeWithLastSubmission: true };
  if (prompt.name === 'login') {
    const login = { accountId: form.get('account') ?? '' };
    return provider.interactionFinished(request, response, { login }, merge);
  }
  if (form.get('answer') !== 'yes') {
    const refused = { error: 'access_denied', error_description: 'the person said no' };
    return provider.interactionFinished(request, response, refused, { mergeWithLastSubmission: false });
  }
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant =
    known ??
    new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params['client_id']) });
  grant.addOIDCScope(scope);
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(request, response, { consent }, merge);
}

async function answerFiles(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const value = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = value === undefined ? undefined : await provider.AccessToken.find(value);
  const json = (status: number, body: object): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (!token?.accountId || token.isExpired) return json(401, { error: 'invalid_token' });
  if (!token.scopes.has('files.read')) return json(403, { error: 'insufficient_scope' });
  json(200, { account: token.accountId, files: ['Budget.ods', 'Holidays.odt', 'Plans for the garden.odt'] });
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
