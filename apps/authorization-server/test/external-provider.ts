import { createServer, type Server } from 'node:http';
import { freePort } from '@behalf/testing';
import { exportJWK, generateKeyPair } from 'jose';
import { type JWK, Provider } from 'oidc-provider';

/**
 * Somebody else's authorization server: the library by itself, issuing `at+jwt` for the one resource it knows and ID
 * tokens for its client. Its people are whoever a request names in `login_hint`.
 */
export class ExternalProvider {
  #server: Server | undefined;
  #keys: JWK[] = [];
  /** How often its keys were asked for. */
  keyRequests = 0;

  private constructor(
    readonly issuer: string,
    readonly port: number,
    private readonly resource: string,
  ) {}

  /** @param port where its issuer is, when it is reached through something that stands there; it listens on another */
  static async start(resource: string, port?: number): Promise<ExternalProvider> {
    const listensOn = await freePort();
    const external = new ExternalProvider(`http://localhost:${port ?? listensOn}`, listensOn, resource);
    await external.rotate();
    return external;
  }

  /** Signs with a new key from now on, and publishes no other. */
  async rotate(): Promise<void> {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const kid = `key-${crypto.randomUUID()}`;
    this.#keys = [{ ...(await exportJWK(privateKey)), use: 'sig', alg: 'ES256', kid }];
    await this.goDown();
    await this.comeBack();
  }

  /** Answers for its keys that it has none. */
  hasNoKeys = false;

  async comeBack(): Promise<void> {
    const handle = this.#provider().callback();
    const server = createServer((request, response) => {
      if (request.url === '/jwks') this.keyRequests += 1;
      // It goes down in a moment: nobody is to try an old connection then.
      response.setHeader('connection', 'close');
      if (request.url === '/jwks' && this.hasNoKeys)
        return void response.setHeader('content-type', 'application/json').end('{"keys":[]}');
      void handle(request, response);
    });
    await new Promise<void>((resolve) => server.listen(this.port, resolve));
    this.#server = server;
  }

  async goDown(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Tokens of a person, by the library's own refresh grant. */
  async tokens(person: string): Promise<{ accessToken: string; idToken: string }> {
    const provider = this.#provider();
    const client = await provider.Client.find('their-app');
    const grant = new provider.Grant({ clientId: 'their-app', accountId: person });
    grant.addOIDCScope('openid');
    grant.addResourceScope(this.resource, 'mcp:tools');
    const refreshToken = new provider.RefreshToken({
      accountId: person,
      client: client as NonNullable<typeof client>,
      grantId: await grant.save(),
      gty: 'authorization_code',
      scope: 'openid mcp:tools',
      resource: this.resource,
    });
    const form = {
      grant_type: 'refresh_token',
      refresh_token: await refreshToken.save(),
      client_id: 'their-app',
      client_secret: 'their-secret',
      resource: this.resource,
    };
    const answer = await fetch(`http://localhost:${this.port}/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const body = (await answer.json()) as { access_token: string; id_token: string; error?: string };
    if (!answer.ok) throw new Error(JSON.stringify(body));
    return { accessToken: body.access_token, idToken: body.id_token };
  }

  #made: { provider: Provider; keys: JWK[] } | undefined;

  #provider(): Provider {
    if (this.#made?.keys === this.#keys) return this.#made.provider;
    const provider = new Provider(this.issuer, {
      jwks: { keys: this.#keys },
      clients: [
        {
          client_id: 'their-app',
          client_secret: 'their-secret',
          token_endpoint_auth_method: 'client_secret_post',
          grant_types: ['refresh_token', 'authorization_code'],
          redirect_uris: ['https://their-app.example/callback'],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
      cookies: { keys: ['external'] },
      scopes: ['openid', 'offline_access'],
      rotateRefreshToken: () => false,
      findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
      features: {
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: async () => ({
            audience: this.resource,
            scope: 'mcp:tools',
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
    });
    this.#made = { provider, keys: this.#keys };
    return provider;
  }
}
