import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFormBody } from '@behalf/service-kit';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { stsConfigSchema } from './config.ts';
import { runChecks } from './run-checks.ts';

/** A token service that means well: it issues whatever it is asked for, to whoever asks. */
async function startNaiveService() {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' };
  const sign = (claims: object): Promise<string> =>
    new SignJWT({ iss: url, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuedAt()
      .setExpirationTime('aud' in claims && claims.aud === 'app' ? '1h' : '2h')
      .sign(privateKey);
  const answer = async (form: Map<string, string>): Promise<object> => {
    const token = form.get('subject_token');
    const claims = token === undefined ? { sub: 'alice', scope: 'mcp:tools' } : decodeJwt(token);
    const scope = form.get('scope') ?? 'mcp:tools';
    const access = await sign({ ...claims, aud: form.get('resource') ?? 'app', scope });
    return { access_token: access, token_type: 'Bearer', refresh_token: 'r', scope };
  };
  const server = createServer((request, response) => {
    const send = (body: object, status = 200): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/jwks') return send({ keys: [jwk] });
    if (request.url?.startsWith('/.well-known/'))
      return send({ issuer: url, token_endpoint: `${url}/token`, jwks_uri: `${url}/jwks` });
    readFormBody(request)
      .then((form) => answer(new Map(form)))
      .then(
        (body) => send(body),
        () => send({ error: 'server_error' }, 500),
      );
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close() };
}

it('the checks find what a naive token service does wrong', async () => {
  const service = await startNaiveService();
  const client = { clientId: 'gateway', secret: 'secret' };
  const results = await runChecks(
    stsConfigSchema.parse({
      issuer: service.url,
      clients: { exchanger: client, next: client, stranger: client },
      subject: { grant: { grant_type: 'password', username: 'alice' } },
      exchange: {
        target: { resource: 'https://files.example' },
        nextTarget: { resource: 'https://mail.example' },
        scope: 'mcp:tools',
        scopeBeyond: 'admin',
      },
    }),
  );
  service.close();
  const ids = (outcome: string): string[] =>
    results.filter((result) => result.outcome === outcome).map(({ id }) => id);
  expect(ids('pass')).toEqual([
    'metadata-issuer',
    'token-signature',
    'resource-audience',
    'exchange-subject-stays',
    'exchange-scope-narrows',
  ]);
  expect(ids('skip').every((id) => id.startsWith('idjag'))).toBe(true);
});
