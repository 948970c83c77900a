import { readFormBody } from '@behalf/service-kit';
import { testKeys } from '@behalf/testing';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ExchangeSeen {
  authorization: string | undefined;
  dpop?: string;
  form: Record<string, string>;
}

export type ThirdPartyAnswer = (
  form: Record<string, string>,
) => { status: number; body: object } | undefined | Promise<{ status: number; body: object } | undefined>;

/** An issuer for tests: keys, metadata, and a token endpoint that exchanges whatever it is given. */
export async function startFakeIssuer() {
  const keys = await testKeys();
  const exchanges: ExchangeSeen[] = [];
  let refusal: { status: number; error: string } | undefined;
  let thirdParty: ThirdPartyAnswer | undefined;
  let nonce: string | undefined;
  let downgraded: string | undefined;
  let jtis = 0;

  const sign = (claims: Record<string, unknown>, signer = keys): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    const defaults = {
      iss: url,
      sub: 'alice',
      client_id: 'test-client',
      scope: 'mcp:tools',
      groups: ['eng'],
    };
    return signer.sign(
      { ...defaults, jti: `jti-${++jtis}`, iat: now, exp: now + 300, ...claims },
      { typ: 'at+jwt' },
    );
  };

  const token = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = Object.fromEntries(await readFormBody(request));
    const dpop = request.headers['dpop'];
    exchanges.push({
      authorization: request.headers.authorization,
      ...(typeof dpop === 'string' && { dpop }),
      form,
    });
    if (nonce !== undefined) response.setHeader('DPoP-Nonce', nonce);
    if (nonce !== undefined && decode(dpop)['nonce'] !== nonce)
      return json(response, { error: 'use_dpop_nonce' }, 400);
    if (refusal) {
      json(response, { error: refusal.error }, refusal.status);
      return;
    }
    const answer = await thirdParty?.(form);
    if (answer) return json(response, answer.body, answer.status);
    const subject = decode(form['subject_token']);
    const tokenType = downgraded ?? (dpop === undefined ? 'Bearer' : 'DPoP');
    const act = {
      sub: 'demo-gateway',
      client_id: 'demo-gateway',
      ...(subject['act'] ? { act: subject['act'] } : {}),
    };
    const access_token = await sign({
      sub: subject['sub'],
      aud: form['resource'],
      scope: form['scope'] ?? subject['scope'],
      client_id: 'demo-gateway',
      act,
    });
    json(response, { access_token, token_type: tokenType, expires_in: 300 });
  };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://issuer');
    if (pathname === '/jwks') return json(response, keys.publicJwks());
    if (pathname === '/token') return void token(request, response);
    if (/^\/\.well-known\/(oauth-authorization-server|openid-configuration)$/.test(pathname))
      return json(response, {
        issuer: url,
        authorization_endpoint: `${url}/auth`,
        token_endpoint: `${url}/token`,
      });
    response.writeHead(404).end();
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    jwksUri: `${url}/jwks`,
    exchanges,
    sign,
    /** Lets the token endpoint refuse from now on; undefined lets it exchange again. */
    refuseExchanges: (with_: typeof refusal) => void (refusal = with_),
    /** Sends proofs without this nonce back from now on. */
    requireNonce: (with_: string | undefined) => void (nonce = with_),
    /** Says of every token that it is of this type, whatever was asked for. */
    answerTokenType: (with_: string | undefined) => void (downgraded = with_),
    /** Answers exchanges in place of the token endpoint, as far as it answers anything. */
    answerThirdParty: (with_: ThirdPartyAnswer) => void (thirdParty = with_),
    close: (): void => {
      server.close();
      server.closeAllConnections();
    },
  };
}
export type FakeIssuer = Awaited<ReturnType<typeof startFakeIssuer>>;

function decode(jwt: unknown): Record<string, unknown> {
  const [, payload = ''] = typeof jwt === 'string' ? jwt.split('.') : [];
  return JSON.parse(Buffer.from(payload || 'e30', 'base64url').toString()) as Record<string, unknown>;
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
