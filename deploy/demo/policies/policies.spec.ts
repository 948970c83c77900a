import { CedarWasmEngine, loadPolicyBundle } from '@behalf/adapter-cedar';
import type { Evaluation } from '@behalf/contracts';
import { decideEvaluation } from '@behalf/policy';
import { resolve } from 'node:path';

const engine = new CedarWasmEngine();
const groups: Record<string, string[]> = { alice: ['eng'], bob: ['sales'], carol: [] };

function decide(
  person: string,
  method: string,
  resource: Evaluation['resource'],
  context: Evaluation['context'] = {},
) {
  const evaluation = {
    subject: { type: 'user', id: person, properties: { groups: groups[person] ?? [] } },
    action: { name: method },
    resource,
    context,
  };
  const { decision, context: why } = decideEvaluation(evaluation, {
    engine,
    newId: () => 'id',
    ownIssuer: 'https://as',
  });
  return decision ? 'permitted' : why?.reason;
}
const tool = (server: string, id: string) => ({ type: 'tool', id, properties: { server } });

beforeAll(async () => {
  expect(engine.load(await loadPolicyBundle(resolve('deploy/demo/policies')))).toEqual([]);
});

describe('the demo policies: calls of tools', () => {
  it.each([
    // person, server, tool, answer
    ['bob', 'everything', 'echo', 'permitted'],
    ['bob', 'everything', 'get-sum', 'permitted'],
    ['bob', 'whoami', 'whoami', 'permitted'],
    ['alice', 'everything', 'get-env', 'forbidden'],
    ['bob', 'everything', 'get-env', 'forbidden'],
    ['bob', 'files', 'read_text_file', 'permitted'],
    ['bob', 'files', 'read_file', 'permitted'],
    ['bob', 'files', 'read_media_file', 'permitted'],
    ['bob', 'files', 'read_multiple_files', 'permitted'],
    ['bob', 'files', 'list_directory', 'permitted'],
    ['bob', 'files', 'list_directory_with_sizes', 'permitted'],
    ['bob', 'files', 'list_allowed_directories', 'permitted'],
    ['bob', 'files', 'directory_tree', 'permitted'],
    ['bob', 'files', 'search_files', 'permitted'],
    ['bob', 'files', 'get_file_info', 'permitted'],
    ['alice', 'files', 'write_file', 'permitted'],
    ['alice', 'files', 'edit_file', 'permitted'],
    ['alice', 'files', 'create_directory', 'permitted'],
    ['alice', 'files', 'move_file', 'permitted'],
    ['bob', 'files', 'write_file', 'no_matching_permit'],
    ['carol', 'files', 'write_file', 'no_matching_permit'],
    ['bob', 'files', 'edit_file', 'no_matching_permit'],
    ['bob', 'files', 'create_directory', 'no_matching_permit'],
    ['bob', 'files', 'move_file', 'no_matching_permit'],
    ['alice', 'files', 'delete_file', 'no_matching_permit'],
    ['alice', 'other', 'echo', 'no_matching_permit'],
    ['alice', 'everything/x', 'echo', 'invalid_request'],
  ])('%s calls %s/%s: %s', (person, server, name, answer) => {
    expect(decide(person, 'tools/call', tool(server, name))).toBe(answer);
  });

  it.each([
    [{}, 'permitted'],
    [{ duration: 600 }, 'permitted'],
    [{ duration: 601 }, 'forbidden'],
    [{ duration: 601, steps: 3 }, 'forbidden'],
    // Not the type that the policy expects: the forbid errs, and that denies.
    [{ duration: 600.5 }, 'policy_error'],
    [{ duration: '1' }, 'policy_error'],
    [{ duration: 1e99 }, 'invalid_request'],
  ])('an operation with %j: %s', (args, answer) => {
    expect(
      decide('bob', 'tools/call', tool('everything', 'trigger-long-running-operation'), { arguments: args }),
    ).toBe(answer);
  });

  it('does not take a tool without a server for one of a server', () => {
    expect(decide('alice', 'tools/call', { type: 'tool', id: 'echo' })).toBe('no_matching_permit');
    expect(decide('alice', 'tools/call', { type: 'tool', id: 'everything/get-env' })).toBe('invalid_request');
  });
});

describe('the demo policies: everything else', () => {
  it.each([
    ['tools/list', { type: 'mcp_server', id: 'files' }, 'permitted'],
    ['server/discover', { type: 'mcp_server', id: 'new-one' }, 'permitted'],
    [
      'prompts/get',
      { type: 'prompt', id: 'simple-prompt', properties: { server: 'everything' } },
      'permitted',
    ],
    [
      'resources/read',
      { type: 'resource_uri', id: 'demo://x', properties: { server: 'everything' } },
      'permitted',
    ],
    ['tools/destroy', { type: 'mcp_server', id: 'files' }, 'no_matching_permit'],
    ['list', { type: 'mcp_server', id: 'files' }, 'permitted'],
    ['exchange', { type: 'mcp_server', id: 'files' }, 'no_matching_permit'],
    ['tools/list', { type: 'planet', id: 'mars' }, 'invalid_request'],
  ])('bob asks %s on %j: %s', (method, resource, answer) => {
    expect(decide('bob', method, resource)).toBe(answer);
  });

  it.each([
    [[{ sub: 'demo-gateway' }], 'permitted'],
    [[{ sub: 'demo-agent', client_id: 'demo-agent', iss: 'https://as' }], 'permitted'],
    [[{ sub: 'demo-gateway' }, { sub: 'demo-agent' }], 'permitted'],
    [[], 'no_matching_permit'],
    [[{ sub: 'stranger' }], 'no_matching_permit'],
    [[{ sub: 'demo-gateway' }, { sub: 'stranger' }], 'no_matching_permit'],
    [[{ sub: 'stranger' }, { sub: 'demo-agent' }], 'no_matching_permit'],
    [[{ sub: 'demo-agent', iss: 'https://elsewhere' }], 'no_matching_permit'],
  ])('an exchange by the chain %j: %s', (actors, answer) => {
    expect(
      decide('alice', 'exchange', { type: 'audience', id: 'https://mcp.example/files' }, { actors }),
    ).toBe(answer);
  });
});

describe("the demo policies: a third party's tokens", () => {
  const drive = { type: 'audience', id: 'http://localhost:4030/api', properties: { provider: 'drive' } };
  it.each([
    ['the server, behind the gateway', ['demo-drive-server', 'demo-gateway'], 'permitted'],
    ['the gateway, after the server', ['demo-gateway', 'demo-drive-server'], 'forbidden'],
    ['an agent', ['demo-agent'], 'forbidden'],
    ['the server, after a stranger', ['demo-drive-server', 'stranger'], 'no_matching_permit'],
  ])('for %s', (_who, chain, expected) => {
    const context = { actors: chain.map((sub) => ({ sub })), scope: 'files.read' };
    expect(decide('alice', 'exchange', drive, context)).toBe(expected);
  });
});
