import { type Connect, connectV1, connectV2 } from './connect-client.fixture.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { MemoryOAuthProvider } from './memory-oauth-provider.fixture.js';
import { metadataClientId } from './oauth-client.fixture.js';

const clients: [string, Connect, string][] = [
  ['sdk 1.x', connectV1, '2025-11-25'],
  ['client 2.x, legacy', connectV2('legacy'), '2025-11-25'],
  ['client 2.x, auto', connectV2('auto'), '2026-07-28'],
  ['client 2.x, pinned', connectV2({ pin: '2026-07-28' }), '2026-07-28'],
];
const registrations: [string, { clientMetadataUrl?: string }][] = [
  ['DCR', {}],
  ['CIMD', { clientMetadataUrl: metadataClientId }],
];
const runs = clients.flatMap(([client, connect, version]) =>
  registrations.map(([registration, options]) => ({ client, connect, version, registration, options })),
);

describe('real clients', () => {
  let system: DemoSystem;
  beforeAll(async () => {
    system = await startDemoSystem();
  }, startTimeoutMs);
  afterAll(() => system?.close());

  describe.each(runs)('$client through $registration', ({ connect, version, registration, options }) => {
    const open = async (upstream: string, username = 'alice') => {
      const provider = new MemoryOAuthProvider({ username, ...options });
      const client = await connect(system.mcpUrl(upstream), provider);
      return { provider, client };
    };

    it('signs in, lists the tools of everything but the forbidden one, and calls one', async () => {
      const { provider, client } = await open('everything');
      expect(client.protocolVersion).toBe(version);
      expect(provider.client.client_id === metadataClientId).toBe(registration === 'CIMD');
      const tools = await client.listTools();
      expect(tools).toContain('echo');
      expect(tools).not.toContain('get-env');
      expect(await client.callTool('echo', { message: 'hello' })).toEqual({
        isError: false,
        text: 'Echo: hello',
      });
      await client.close();
    });

    it('reads in files, and steps up to write there', async () => {
      const { provider, client } = await open('files');
      expect(await client.callTool('list_allowed_directories')).toMatchObject({ isError: false });
      // 1.x answers the challenge with its refresh token, when it has one, and gives up when that changes nothing.
      if (connect === connectV1) provider.tokens().refresh_token = undefined;
      const path = `from-${registration}.txt`;
      expect(await client.callTool('write_file', { path, content: 'written' })).toMatchObject({
        isError: false,
      });
      expect(provider.tokens().scope.split(' ').sort()).toEqual(['files:write', 'mcp:tools']);
      expect(await client.callTool('read_text_file', { path })).toEqual({ isError: false, text: 'written' });
      await client.close();
    });

    it('is seen at whoami as the person, with the gateway acting', async () => {
      const { client } = await open('whoami', 'bob');
      const { text } = await client.callTool('whoami');
      expect(JSON.parse(text)).toMatchObject({
        sub: 'bob',
        act: { sub: 'demo-gateway' },
        aud: system.config.gateway.upstreams['whoami']?.transport === 'http' && expect.any(String),
        scope: 'mcp:tools',
      });
      await client.close();
    });

    it('gets no forbidden tool by naming it', async () => {
      const { client } = await open('everything');
      const result = await client.callTool('get-env');
      expect(result.isError).toBe(true);
      expect(result.text).not.toContain('PATH');
      await client.close();
    });
  });

  it.each(clients)('%s hears of the progress of a call that takes long', async (_name, connect) => {
    const provider = new MemoryOAuthProvider({ username: 'alice', clientMetadataUrl: metadataClientId });
    const client = await connect(system.mcpUrl('everything'), provider);
    const args = { duration: 1, steps: 2 };
    expect(await client.countProgress('trigger-long-running-operation', args)).toBe(2);
    await client.close();
  });

  it('shows the writing tools of files to alice and not to bob', async () => {
    const toolsOf = async (username: string): Promise<string[]> => {
      const client = await connectV2('auto')(
        system.mcpUrl('files'),
        new MemoryOAuthProvider({ username, clientMetadataUrl: metadataClientId }),
      );
      const tools = await client.listTools();
      await client.close();
      return tools.sort();
    };
    const [alice, bob] = [await toolsOf('alice'), await toolsOf('bob')];
    expect(alice.filter((tool) => !bob.includes(tool))).toEqual([
      'create_directory',
      'edit_file',
      'move_file',
      'write_file',
    ]);
    expect(bob.filter((tool) => !alice.includes(tool))).toEqual([]);
    expect(bob).toContain('read_text_file');
  });

  it('shows alice the writing tools before she has the scope that they need', async () => {
    const provider = new MemoryOAuthProvider({ username: 'alice' });
    const client = await connectV2('auto')(system.mcpUrl('files'), provider);
    expect(await client.listTools()).toContain('write_file');
    expect(provider.tokens().scope).toBe('mcp:tools');
    await client.close();
  });

  it('does not let bob write, whatever scope he holds', async () => {
    const provider = new MemoryOAuthProvider({ username: 'bob' });
    const client = await connectV2('auto')(system.mcpUrl('files'), provider);
    expect(await client.callTool('write_file', { path: 'bob.txt', content: 'x' })).toMatchObject({
      isError: true,
    });
    expect(await client.callTool('read_text_file', { path: 'bob.txt' })).toMatchObject({ isError: true });
    await client.close();
  });
});
