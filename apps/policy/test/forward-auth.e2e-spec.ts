import { encodeHeaderValue } from '@behalf/mcp';
import { describeWith, freePort } from '@behalf/testing';
import { startModernMcpServer } from './modern-mcp-server.js';
import { type PolicyService, startPolicyService } from './policy-service.js';
import { type Proxy, startProxy } from './start-proxy.js';

const resource = 'https://mcp.example/everything';

interface Ports {
  listen: number;
  policy: string;
  mcp: number;
}

/** As `docs/policy-dialects.md` has them. */
const configs: Record<Proxy, (ports: Ports) => string> = {
  nginx: ({ listen, policy, mcp }) => `
daemon off;
pid nginx.pid;
error_log stderr notice;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${listen};
    location = /_authorize {
      internal;
      proxy_pass ${policy}/access/v1/forward-auth/everything;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
    }
    location /mcp {
      auth_request /_authorize;
      proxy_pass http://127.0.0.1:${mcp};
    }
  }
}`,
  caddy: ({ listen, policy, mcp }) => `
{
  admin off
  auto_https off
}
http://127.0.0.1:${listen} {
  forward_auth ${policy} {
    uri /access/v1/forward-auth/everything
  }
  reverse_proxy 127.0.0.1:${mcp}
}`,
};

const describeProxied = (program: Proxy) => () => {
  let service: PolicyService;
  let mcp: Awaited<ReturnType<typeof startModernMcpServer>>;
  let proxy: Awaited<ReturnType<typeof startProxy>>;

  beforeAll(async () => {
    // No loopback switch: the proxy has no credential, and the request's own token is what is asked about.
    service = await startPolicyService({
      settings: { backends: { everything: { resource, enforcesHeaderMatch: true } } },
    });
    mcp = await startModernMcpServer();
    const listen = await freePort();
    proxy = await startProxy(
      program,
      listen,
      configs[program]({ listen, policy: service.url, mcp: mcp.port }),
    );
  }, 180_000);
  afterAll(async () => {
    await proxy?.close();
    await mcp?.close();
    await service?.close();
  });
  beforeEach(() => {
    mcp.called.length = 0;
  });

  const token = (claims: object = {}) => service.sign({ sub: 'alice', aud: resource, ...claims });
  const call = async (name: string, headers: Record<string, string | undefined> = {}) => {
    const sent: Record<string, string | undefined> = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${await token()}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': encodeHeaderValue(name),
      ...headers,
    };
    const response = await fetch(`${proxy.url}/mcp`, {
      method: 'POST',
      headers: Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== undefined),
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name,
          arguments: {},
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  it('lets a permitted call reach the server', async () => {
    const answer = await call('echo');
    expect([answer.status, mcp.called]).toEqual([200, ['echo']]);
    expect(answer.text).toContain('called echo');
    expect(service.audit.records.at(-1)).toMatchObject({ outcome: 'allowed', person: 'alice' });
  });

  it('decodes names that headers cannot carry', async () => {
    const encoded = (name: string) => ({ 'mcp-name': `=?base64?${Buffer.from(name).toString('base64')}?=` });
    expect([(await call('echo', encoded('echo'))).status, mcp.called]).toEqual([200, ['echo']]);
    expect((await call('get-env', encoded('get-env'))).status).toBe(403);
  });

  it('stops a denied call before the server', async () => {
    expect([(await call('get-env')).status, mcp.called]).toEqual([403, []]);
    expect(service.audit.records.at(-1)).toMatchObject({ outcome: 'refused', person: 'alice' });
  });

  it.each(['x-original-method', 'x-forwarded-method'])(
    'attack: a client says in %s that its call is something harmless',
    async (header) => {
      for (const method of ['GET', 'DELETE', 'OPTIONS']) {
        const answer = await call('get-env', { [header]: method });
        expect([answer.status, mcp.called]).toEqual([403, []]);
      }
      expect((await call('echo', { [header]: 'POST' })).status).toBe(200);
    },
  );

  it('relies on the server for a body that says something else, and the server does refuse it', async () => {
    expect([(await call('get-env', { 'mcp-name': 'echo' })).status, mcp.called]).toEqual([400, []]);
  });

  it.each<[string, Record<string, string | undefined>, number]>([
    ['no token', { authorization: undefined }, 401],
    ['a token that is none', { authorization: 'Bearer x.y.z' }, 401],
    ['an older revision', { 'mcp-protocol-version': '2025-11-25' }, 403],
    ['no revision', { 'mcp-protocol-version': undefined }, 403],
    ['a revision that is none', { 'mcp-protocol-version': 'zzz' }, 403],
    ['no method', { 'mcp-method': undefined }, 403],
    ['an unknown method', { 'mcp-method': 'tools/destroy' }, 403],
    ['no name', { 'mcp-name': undefined }, 403],
    ['a name that is wrongly encoded', { 'mcp-name': '=?base64?####?=' }, 403],
    ['a claim to be a notification', { 'mcp-method': 'notifications/initialized' }, 400],
  ])('stops a call with %s', async (_, headers, status) => {
    expect([(await call('echo', headers)).status, mcp.called]).toEqual([status, []]);
  });

  it('stops a call with a token for another server', async () => {
    const authorization = `Bearer ${await token({ aud: 'https://mcp.example/files' })}`;
    expect([(await call('echo', { authorization })).status, mcp.called]).toEqual([401, []]);
  });

  it.each([{ jkt: 'k' }, { 'x5t#S256': 'c' }])(
    'RFC 9449 §7.1, RFC 8705 §3: takes no token that is bound to %j for a bearer token',
    async (cnf) => {
      const authorization = `Bearer ${await token({ cnf })}`;
      expect([(await call('echo', { authorization })).status, mcp.called]).toEqual([401, []]);
    },
  );

  it('stops everything once decisions cannot be made', async () => {
    service.audit.failing = true;
    expect([(await call('echo')).status, mcp.called]).toEqual([403, []]);
    service.audit.failing = false;
  });
};

for (const program of ['nginx', 'caddy'] as const)
  describeWith(program)(`${program} in front of an MCP server`, describeProxied(program));

describe('forward-auth', () => {
  it('refuses backends that are unknown, lax, or have no resource', async () => {
    const service = await startPolicyService({
      settings: { backends: { lax: { resource }, anonymous: { enforcesHeaderMatch: true } } },
    });
    try {
      const authorization = `Bearer ${await service.sign({ sub: 'alice', aud: resource })}`;
      const routing = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
      const headers = { authorization, 'x-forwarded-method': 'POST', ...routing };
      for (const backend of ['unknown', 'lax', 'anonymous', '__proto__']) {
        const answer = await fetch(`${service.url}/access/v1/forward-auth/${backend}`, { headers });
        expect([backend, answer.status]).toEqual([backend, 403]);
      }
      // Traefik's `forwardBody`: where there is a body, nobody has to promise anything.
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo' } };
      const shown = await fetch(`${service.url}/access/v1/forward-auth/lax`, {
        method: 'POST',
        headers: { authorization, 'x-forwarded-method': 'POST', 'content-type': 'application/json' },
        body: JSON.stringify({ ...message, method: 'tools/list', params: {} }),
      });
      expect(shown.status).toBe(200);
    } finally {
      await service.close();
    }
  });
});
