import type { ProviderConfig } from '@behalf/config';
import { resolveProviderAccess, resolveProviders } from '../index.js';

const github = {
  id: 'github',
  kind: 'oauth',
  preset: 'github',
  client: { id: 'us', secretEnv: 'GITHUB_SECRET' },
} as ProviderConfig;
const mcp = { id: 'notes', kind: 'mcp', server: 'https://notes.example/mcp' } as ProviderConfig;

it('says what is asked for at a provider to who has none of its secrets', () => {
  const [access] = resolveProviderAccess([github]);
  const [provider] = resolveProviders([github], { GITHUB_SECRET: 'x' });
  expect(access?.resources.length).toBeGreaterThan(0);
  expect(provider).toMatchObject(access ?? {});
  expect(() => resolveProviders([github], {})).toThrow(/client\.secretEnv: needed/);
});

it('takes an MCP server for the one resource that it is', () => {
  expect(resolveProviderAccess([mcp])).toMatchObject([
    { id: 'notes', resources: ['https://notes.example/mcp'] },
  ]);
});

it('tells all faults at once', () => {
  const unknown = { ...github, id: 'other', preset: 'githob' };
  const again = { ...mcp, id: 'again' };
  expect(() => resolveProviderAccess([mcp, unknown, again])).toThrow(
    expect.objectContaining({
      faults: [
        expect.stringContaining('elicitation.providers.other: preset: not one of'),
        'elicitation.providers.other: resources: needed',
        'elicitation.providers.again.resources: notes has one of them, too',
      ],
    }),
  );
});
