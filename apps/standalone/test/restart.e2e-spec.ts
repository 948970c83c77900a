import { decodeBundle, formatTilePath, type LogSource, parseVerifier, verifyLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browsePages } from './browse.fixture.js';
import {
  type DemoSystem,
  demoConfigOnFreePorts,
  startDemoSystem,
  startTimeoutMs,
} from './demo-system.fixture.js';
import { mcpRequest } from './mcp-request.fixture.js';
import {
  type Tokens,
  authorizationRequest,
  redirectUri,
  refresh,
  register,
  signIn,
} from './oauth-client.fixture.js';

let dataFolder: string;
let config: BehalfConfig;
let system: DemoSystem | undefined;
let before: { keys: unknown; tokens: Tokens; registered: string };

const jwks = async (): Promise<unknown> =>
  (await fetch(`${config.authorizationServer.issuer}${config.authorizationServer.paths.jwks}`)).json();

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'behalf-'));
  config = await demoConfigOnFreePorts(dataFolder);
  system = await startDemoSystem({ config });
  const resource = system.mcpUrl('everything');
  const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
  const registered: string = (await register(system, metadata)).body.client_id;
  await signIn(system, { username: 'alice', resource, clientId: registered });
  before = { keys: await jwks(), tokens: await signIn(system, { username: 'alice', resource }), registered };
  await system.close();
  system = undefined;
  system = await startDemoSystem({ config });
}, startTimeoutMs);
afterAll(async () => {
  await system?.close();
  await rm(dataFolder, { recursive: true, force: true });
});

describe('a second start on the same folder', () => {
  it('has the same signing keys', async () => {
    expect(await jwks()).toEqual(before.keys);
  });

  it('accepts the access tokens from before', async () => {
    const url = system!.mcpUrl('everything');
    expect((await mcpRequest(url, 'tools/list', {}, { token: before.tokens.access_token })).status).toBe(200);
  });

  it('refreshes the refresh tokens from before', async () => {
    expect((await refresh(system!, before.tokens.refresh_token)).status).toBe(200);
  });

  it('knows the clients that registered, and what people agreed to', async () => {
    const { url } = authorizationRequest(system!, {
      client_id: before.registered,
      resource: system!.mcpUrl('everything'),
    });
    const { end, pages } = await browsePages(url, 'alice');
    expect(end.searchParams.get('code')).not.toBeNull();
    expect(pages).toEqual(['sign-in']);
  });

  it('has an audit log that anybody with its key can verify, from the first start on', async () => {
    const { issuer, paths } = config.authorizationServer;
    const resource = `${issuer}${paths.admin}`;
    const credentials = Buffer.from('demo-admin:demo-admin-secret').toString('base64');
    const answer = await fetch(`${issuer}${paths.token}`, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'admin' }),
    });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    const read = async (path: string): Promise<Buffer> => {
      const headers = { authorization: `Bearer ${token}` };
      return Buffer.from(await (await fetch(`${resource}/audit/${path}`, { headers })).arrayBuffer());
    };
    const { verifier } = JSON.parse((await read('key')).toString()) as { verifier: string };
    const verified: string[] = [];
    const log: LogSource = {
      checkpoint: async () => (await read('checkpoint')).toString(),
      tile: async (tile) => {
        const bytes = await read(formatTilePath(tile));
        if (tile.level === 'entries') verified.push(...decodeBundle(bytes));
        return bytes;
      },
    };
    const { signers } = await verifyLog(log, [parseVerifier(verifier)]);
    expect(signers).toHaveLength(1);
    const signIns = verified.filter((leaf) => leaf.includes('"type":"sign-in"'));
    expect(signIns.length).toBeGreaterThan(0);
    expect((await fetch(`${resource}/audit/checkpoint`)).status).toBe(401);
  });
});
