import { type BehalfConfig } from '@behalf/config';
import { openInfrastructure } from '@behalf/infrastructure';
import type { Infrastructure, RunningService } from '@behalf/service-kit';
import { askForDecision, testKeys } from '@behalf/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthorizationServer } from '../../authorization-server/src/authorization-server.module.js';
import { startElicitation } from '../../elicitation/src/elicitation.module.js';
import { startGateway } from '../../gateway/src/gateway.module.js';
import { startPolicy } from '../../policy/src/policy.module.js';
import { demoConfigOnFreePorts, startTimeoutMs } from './demo-system.fixture.js';

/** One service, with a data folder and a bus that nobody else is on: as when its own program is started. */
async function alone(
  start: (infrastructure: Infrastructure) => Promise<RunningService>,
  use: (config: BehalfConfig, url: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-alone-'));
  try {
    const config = await demoConfigOnFreePorts(folder);
    const service = await openInfrastructure({ name: 'alone', config }, start);
    try {
      expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
      await use(config, service.url);
    } finally {
      await service.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('a service that is alone', () => {
  it(
    'authorization-server: issues what needs nobody else',
    () =>
      alone(startAuthorizationServer, async ({ policy }, url) => {
        const response = await fetch(`${url}/token`, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa('demo-gateway:demo-gateway-secret')}` },
          body: new URLSearchParams({ grant_type: 'client_credentials', resource: policy.publicUrl }),
        });
        expect(response.status).toBe(200);
      }),
    startTimeoutMs,
  );

  it(
    'policy: decides',
    () =>
      alone(startPolicy, async (_config, url) => {
        const response = await askForDecision(url, 'bob', { tool: 'write_file', server: 'files' });
        expect([response.status, await response.json()]).toMatchObject([200, { decision: false }]);
      }),
    startTimeoutMs,
  );

  it(
    'elicitation: is not ready, and tells people that they cannot sign in now',
    () =>
      alone(startElicitation, async (_config, url) => {
        expect((await fetch(`${url}/readyz`)).status).toBe(503);
        const page = await fetch(`${url}/connect?e=11111111-1111-1111-1111-111111111111`);
        expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5']);
        expect(await page.text()).toContain('cannot sign in');
      }),
    startTimeoutMs,
  );

  it(
    'gateway: is not ready, and takes no token while it cannot know what is revoked',
    () =>
      alone(startGateway, async ({ authorizationServer, gateway }, url) => {
        const ready = await fetch(`${url}/readyz`);
        expect([ready.status, await ready.json()]).toMatchObject([503, { status: 'waiting' }]);
        const now = Math.floor(Date.now() / 1000);
        const token = await (
          await testKeys()
        ).sign(
          {
            iss: authorizationServer.issuer,
            aud: `${gateway.publicUrl}/mcp/files`,
            sub: 'alice',
            client_id: 'x',
            iat: now,
            exp: now + 60,
            jti: 'j',
          },
          { typ: 'at+jwt' },
        );
        const response = await fetch(`${url}/mcp/files`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
        });
        expect([response.status, response.headers.has('retry-after')]).toEqual([503, true]);
      }),
    startTimeoutMs,
  );
});
