import { createServer } from 'node:http';
import { freePort } from '@behalf/testing';
import { exportJWK, generateKeyPair } from 'jose';
import { type JWK, Provider } from 'oidc-provider';

export interface UpstreamProvider {
  issuer: string;
  close(): Promise<void>;
}

/** An OpenID provider of somebody else: the library with its own login form, which believes every name. */
export async function startUpstreamProvider(
  redirectUri: string,
  groups: Record<string, string[]>,
): Promise<UpstreamProvider> {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256' } as JWK;
  const provider = new Provider(issuer, {
    jwks: { keys: [jwk] },
    clients: [{ client_id: 'behalf', client_secret: 'upstream-secret', redirect_uris: [redirectUri] }],
    cookies: { keys: ['upstream'] },
    claims: { openid: ['sub'], profile: ['name', 'groups'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: async () => ({ sub, name: `Upstream ${sub}`, groups: groups[sub] ?? [] }),
    }),
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client?.clientId ?? '',
        accountId: oidc.account?.accountId ?? '',
      });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
  });
  const handle = provider.callback();
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(port, resolve));
  return {
    issuer,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
