import { grantTypes, tokenTypes } from '@behalf/oauth';
import * as dpop from 'dpop';
import { decodeJwt } from 'jose';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { callTool, mcpRequest } from './mcp-request.fixture.js';
import {
  type TokenAnswer,
  type Tokens,
  formOf,
  metadataClientId,
  refresh,
  requestToken,
  signIn,
} from './oauth-client.fixture.js';

const agentResource = 'http://localhost:4020/agent';
const agent = { clientId: 'demo-agent', secret: 'demo-agent-secret' };

let system: DemoSystem;
beforeAll(async () => {
  system = await startDemoSystem();
}, startTimeoutMs);
afterAll(() => system?.close());

/** Gives the agent a token addressed to it, and lets it exchange that for one of an upstream. */
async function exchangeAsAgent(subject: Tokens, upstream: string, scope?: string): Promise<TokenAnswer> {
  return requestToken(
    system,
    {
      grant_type: grantTypes.tokenExchange,
      subject_token: subject.access_token,
      subject_token_type: tokenTypes.accessToken,
      resource: system.mcpUrl(upstream),
      scope,
    },
    agent,
  );
}

const whoami = async (token: string): Promise<Record<string, any>> => {
  const { body } = await callTool(system.mcpUrl('whoami'), 'whoami', {}, { token });
  return JSON.parse(body.result.content[0].text);
};

const revoke = (token: string | undefined): Promise<Response> =>
  fetch(`${system.issuer}${system.config.authorizationServer.paths.revocation}`, {
    method: 'POST',
    body: formOf({ token, client_id: metadataClientId }),
  });

describe('one hop', () => {
  it('reaches the upstream as the person with the gateway acting, in a token that is for the upstream only', async () => {
    const { access_token: token } = await signIn(system, {
      username: 'alice',
      resource: system.mcpUrl('whoami'),
    });
    const seen = await whoami(token);
    expect(seen).toMatchObject({ sub: 'alice', act: { sub: 'demo-gateway' }, scope: 'mcp:tools' });
    expect([seen['aud']].flat()).toEqual([expect.not.stringContaining(system.gateway)]);
    expect(seen['act'].act).toBeUndefined();
  });

  it('RFC 9449: a token that is bound to the caller’s key becomes one that is bound to the gateway’s', async () => {
    const key = await dpop.generateKeyPair('ES256');
    const jkt = await dpop.calculateThumbprint(key.publicKey);
    const url = system.mcpUrl('whoami');
    const tokenUrl = `${system.issuer}${system.config.authorizationServer.paths.token}`;
    const { access_token: token, token_type: type } = await signIn(system, {
      username: 'alice',
      resource: url,
      headers: { dpop: await dpop.generateProof(key, tokenUrl, 'POST') },
    });
    expect([type, decodeJwt(token)['cnf']]).toEqual(['DPoP', { jkt }]);
    const call = async (nonce?: string) => {
      const proof = await dpop.generateProof(key, url, 'POST', nonce, token);
      return callTool(url, 'whoami', {}, { headers: { authorization: `DPoP ${token}`, dpop: proof } });
    };
    const { status, body } = await call();
    expect(status).toBe(200);
    const seen = JSON.parse(body.result.content[0].text);
    expect(seen).toMatchObject({ sub: 'alice', act: { sub: 'demo-gateway' } });
    expect(seen.cnf).toEqual({ jkt: expect.not.stringMatching(jkt) });
    expect((await call()).status).toBe(200);
  });

  it('never sends the token of the caller upstream, and does not accept the exchanged one itself', async () => {
    const { access_token: token } = await signIn(system, {
      username: 'alice',
      resource: system.mcpUrl('whoami'),
    });
    const seen = await whoami(token);
    expect(seen['client_id']).toBe('demo-gateway');
    const exchanged = await requestToken(
      system,
      {
        grant_type: grantTypes.tokenExchange,
        subject_token: token,
        subject_token_type: tokenTypes.accessToken,
        resource: String([seen['aud']].flat()[0]),
      },
      { clientId: 'demo-gateway', secret: 'demo-gateway-secret' },
    );
    expect(exchanged.status).toBe(200);
    const again = await mcpRequest(
      system.mcpUrl('whoami'),
      'tools/list',
      {},
      { token: exchanged.body.access_token },
    );
    expect(again.status).toBe(401);
  });
});

describe('two hops through an agent', () => {
  it('nests the agent inside the gateway, and keeps the person', async () => {
    const subject = await signIn(system, { username: 'alice', resource: agentResource, ...agent });
    const answer = await exchangeAsAgent(subject, 'whoami');
    expect(answer).toMatchObject({
      status: 200,
      body: { issued_token_type: tokenTypes.accessToken, token_type: 'Bearer' },
    });
    expect(await whoami(answer.body.access_token)).toMatchObject({
      sub: 'alice',
      act: { sub: 'demo-gateway', act: { sub: 'demo-agent' } },
    });
  });

  it('narrows the scope and never widens it', async () => {
    const subject = await signIn(system, {
      username: 'alice',
      resource: agentResource,
      scope: 'mcp:tools files:write',
      ...agent,
    });
    const narrowed = await exchangeAsAgent(subject, 'files', 'mcp:tools');
    expect(decodeJwt(narrowed.body.access_token)['scope']).toBe('mcp:tools');

    // Somebody who has agreed to no more before: what she agreed to once would stay granted.
    const small = await signIn(system, {
      username: 'carol',
      resource: agentResource,
      scope: 'mcp:tools',
      ...agent,
    });
    const widened = await exchangeAsAgent(small, 'files', 'mcp:tools files:write');
    const granted = widened.status === 200 ? decodeJwt(widened.body.access_token)['scope'] : '';
    expect(granted).not.toContain('files:write');
  });

  it('does not outlive the subject token', async () => {
    const subject = await signIn(system, { username: 'alice', resource: agentResource, ...agent });
    const answer = await exchangeAsAgent(subject, 'whoami');
    expect(decodeJwt(answer.body.access_token).exp).toBeLessThanOrEqual(
      decodeJwt(subject.access_token).exp ?? 0,
    );
  });

  it('keeps the policy for the person: bob may not write through the agent either', async () => {
    const subject = await signIn(system, {
      username: 'bob',
      resource: agentResource,
      scope: 'mcp:tools files:write',
      ...agent,
    });
    const { body } = await exchangeAsAgent(subject, 'files');
    const written = await callTool(
      system.mcpUrl('files'),
      'write_file',
      { path: 'agent.txt', content: 'x' },
      { token: body.access_token },
    );
    expect(written.body.result).toMatchObject({ isError: true });
  });

  it('refuses to exchange a token that is addressed to somebody else', async () => {
    const subject = await signIn(system, { username: 'alice', resource: system.mcpUrl('whoami') });
    const answer = await exchangeAsAgent(subject, 'files');
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('refuses a client that does not authenticate', async () => {
    const subject = await signIn(system, { username: 'alice', resource: agentResource, ...agent });
    const answer = await requestToken(system, {
      grant_type: grantTypes.tokenExchange,
      subject_token: subject.access_token,
      subject_token_type: tokenTypes.accessToken,
      resource: system.mcpUrl('whoami'),
      client_id: 'demo-agent',
    });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

describe('revocation', () => {
  it('of an access token is known to the gateway at once', async () => {
    const { access_token: token } = await signIn(system, {
      username: 'alice',
      resource: system.mcpUrl('everything'),
    });
    const url = system.mcpUrl('everything');
    expect((await mcpRequest(url, 'tools/list', {}, { token })).status).toBe(200);
    expect((await revoke(token)).status).toBe(200);
    expect((await mcpRequest(url, 'tools/list', {}, { token })).status).toBe(401);
  });

  it('of a refresh token ends the access tokens of its grant', async () => {
    const tokens = await signIn(system, { username: 'alice', resource: system.mcpUrl('everything') });
    expect((await revoke(tokens.refresh_token)).status).toBe(200);
    const after = await mcpRequest(
      system.mcpUrl('everything'),
      'tools/list',
      {},
      { token: tokens.access_token },
    );
    expect(after.status).toBe(401);
    expect((await refresh(system, tokens.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('of a subject token ends what was exchanged for it', async () => {
    const subject = await signIn(system, { username: 'alice', resource: agentResource, ...agent });
    const { body } = await exchangeAsAgent(subject, 'whoami');
    const revoked = await fetch(`${system.issuer}${system.config.authorizationServer.paths.revocation}`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${agent.clientId}:${agent.secret}`).toString('base64')}`,
      },
      body: formOf({ token: subject.access_token }),
    });
    expect(revoked.status).toBe(200);
    expect((await exchangeAsAgent(subject, 'whoami')).body.error).toBe('invalid_request');
    const after = await callTool(system.mcpUrl('whoami'), 'whoami', {}, { token: body.access_token });
    expect(after.status).toBe(401);
  });
});

describe('without the policy service', () => {
  it('nothing is allowed, and callers are told to come back', async () => {
    const { access_token: token } = await signIn(system, {
      username: 'alice',
      resource: system.mcpUrl('everything'),
    });
    await system.services.policy.close();
    const url = system.mcpUrl('everything');
    const call = await callTool(url, 'echo', { message: 'x' }, { token });
    expect(call).toMatchObject({ status: 503, body: { error: expect.anything() } });
    expect(call.body.result).toBeUndefined();
    expect(call.headers.get('retry-after')).not.toBeNull();
    expect((await mcpRequest(url, 'tools/list', {}, { token })).status).toBe(503);
    const { access_token: subject } = await signIn(system, {
      username: 'alice',
      resource: agentResource,
      ...agent,
    });
    const exchange = await exchangeAsAgent({ access_token: subject } as Tokens, 'whoami');
    expect(exchange.status).toBeGreaterThanOrEqual(400);
    expect(exchange.body.access_token).toBeUndefined();
  });
});
