import { toStruct } from '@behalf/policy-dialects';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PolicySource } from '../src/policy-source.js';
import { dialectSettings } from './ask-dialects.js';
import { type GrpcClients, grpcClients } from './grpc-client.js';
import { type PolicyService, startPolicyService } from './policy-service.js';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const alice = toStruct({ sub: 'alice', groups: ['eng'], client_id: 'agent', act: { sub: 'demo-gateway' } });
const bob = toStruct({ sub: 'bob', groups: [] });
const call = (name: string, args: unknown = {}) => bytes({ name, arguments: args });

describe('agentgateway ExtMcp', () => {
  let service: PolicyService;
  let grpc: GrpcClients;
  beforeAll(async () => {
    service = await startPolicyService({ allowUnauthenticatedLoopback: true, settings: dialectSettings });
    grpc = grpcClients(service.grpcPort ?? 0);
  });
  afterAll(async () => {
    grpc.close();
    await service.close();
  });
  beforeEach(() => {
    service.audit.failing = false;
  });
  const write = (change: object = {}) => ({
    service_names: ['files'],
    method: 'tools/call',
    metadata_context: alice,
    mcp_request: call('write_file', { path: '/x' }),
    ...change,
  });

  it('passes what is permitted, and names the decision', async () => {
    const answer = await grpc.checkRequest(write());
    expect(answer).toMatchObject({ result: 'pass', pass: {} });
    expect(answer.header_mutation).toBeFalsy();
    expect(answer.metadata.fields.decision_id.stringValue).toBe(service.audit.records.at(-1)?.decisionId);
    expect(service.audit.records.at(-1)).toMatchObject({
      outcome: 'allowed',
      person: 'alice',
      actors: ['demo-gateway'],
    });
  });

  it('refuses what is not, with the decision as data of the error', async () => {
    const { result, error } = await grpc.checkRequest(write({ metadata_context: bob }));
    expect([result, error.code]).toEqual(['error', 1]);
    expect(JSON.parse(Buffer.from(error.mcp_error).toString())).toEqual({
      decisionId: service.audit.records.at(-1)?.decisionId,
    });
  });

  it.each<[string, object, number]>([
    ['without a person', { metadata_context: undefined }, 1],
    ['with a person who is no text', { metadata_context: toStruct({ sub: 7 }) }, 3],
    ['with a chain that is none', { metadata_context: toStruct({ sub: 'alice', act: 'x' }) }, 3],
    ['of a method nobody knows', { method: 'tools/destroy' }, 1],
    ['without a service', { service_names: [] }, 3],
    ['without a name', { mcp_request: bytes({}) }, 3],
    ['without parameters', { mcp_request: undefined }, 3],
    ['with parameters that are a list', { mcp_request: bytes([]) }, 3],
    ['with parameters that are not JSON', { mcp_request: bytes('{') }, 3],
    ['with a repeated member', { mcp_request: bytes('{"name":"write_file","name":"read_file"}') }, 3],
    ['of a server whose name is none', { service_names: ['files/x'] }, 3],
  ])('refuses a request %s', async (_, change, code) => {
    const { result, error } = await grpc.checkRequest(write(change));
    expect([result, error.code]).toEqual(['error', code]);
  });

  it('lets notifications through, which nobody decides on', async () => {
    const recorded = service.audit.records.length;
    const answer = await grpc.checkRequest(
      write({ method: 'notifications/initialized', mcp_request: undefined }),
    );
    expect(answer.result).toBe('pass');
    expect(service.audit.records).toHaveLength(recorded);
  });

  it('refuses what it cannot record', async () => {
    service.audit.failing = true;
    expect((await grpc.checkRequest(write())).result).toBe('error');
  });

  describe('lists', () => {
    const list = async (
      service_names: string[],
      names: string[],
      metadata_context: object | undefined = alice,
    ) => {
      const answer = await grpc.checkResponse({
        service_names,
        method: 'tools/list',
        metadata_context,
        mcp_response: bytes({ tools: names.map((name) => ({ name })), nextCursor: 'c' }),
      });
      if (answer.result !== 'mutated') return answer;
      const result = JSON.parse(Buffer.from(answer.mutated).toString());
      expect(result.nextCursor).toBe('c');
      return result.tools.map((tool: { name: string }) => tool.name);
    };

    it('shows what may be called', async () => {
      expect(await list(['everything'], ['echo', 'get-env', 'get-sum'])).toEqual(['echo', 'get-sum']);
      expect(await list(['files'], ['write_file', 'read_file'], bob)).toEqual(['read_file']);
    });

    it('shows what may be called with some arguments, and hides what may be called with none', async () => {
      await writeFile(
        join(service.folder, 'preview.cedar'),
        `@id("short") permit(principal, action == Action::"tools/call", resource == Tool::"files/sleep")
           when { context.arguments has duration && context.arguments.duration < 10 };
         @id("deep") permit(principal, action == Action::"tools/call", resource == Tool::"files/nap")
           when { context.arguments has duration && context.depth > 4 };`,
      );
      await service.app.get(PolicySource).check();
      expect(await list(['files'], ['sleep', 'nap'])).toEqual(['sleep']);
      expect((await grpc.checkRequest(write({ mcp_request: call('sleep') }))).result).toBe('error');
      const short = call('sleep', { duration: 9 });
      expect((await grpc.checkRequest(write({ mcp_request: short }))).result).toBe('pass');
    });

    it('reads the names of a merged list', async () => {
      const names = ['everything_echo', 'everything_get-env', 'files_write_file', 'files_delete_file'];
      expect(await list(['everything', 'files'], names)).toEqual(['everything_echo', 'files_write_file']);
    });

    it('shows a name that could be of any server when every one of them would let it be called', async () => {
      expect(await list(['everything', 'files'], ['echo', 'read_file'])).toEqual(['read_file']);
      expect(await list(['everything', 'whoami'], ['echo', 'get-env'])).toEqual(['echo']);
    });

    it('takes a prefix that two servers share for both', async () => {
      // `files_x_read_file` is `x_read_file` of files, which nobody may call, or `read_file` of files_x.
      expect(await list(['files', 'files_x'], ['files_x_read_file'])).toEqual([]);
    });

    it('filters long lists', async () => {
      const names = Array.from({ length: 1500 }, (_, index) => `t${index}`);
      expect(await list(['everything'], [...names, 'get-env'])).toEqual(names);
    });

    it('shows nothing to nobody', async () => {
      expect(await list(['everything'], ['echo'], toStruct({}))).toMatchObject({
        result: 'error',
        error: { code: 1 },
      });
    });

    it('lets other results through', async () => {
      const mcp_response = bytes({ content: [{ type: 'text', text: 'x' }] });
      const answer = await grpc.checkResponse({
        service_names: ['files'],
        method: 'tools/call',
        mcp_response,
      });
      expect(answer.result).toBe('pass');
    });
  });

  it('reads the person from the token when the gateway says nothing of one', async () => {
    const ask = async (aud: string, value?: string) => {
      const token = value ?? (await service.sign({ sub: 'alice', groups: ['eng'], aud }));
      const headers = [{ key: 'Authorization', value: Buffer.from(`Bearer ${token}`) }];
      return (await grpc.checkRequest(write({ metadata_context: undefined, headers }))).result;
    };
    expect(await ask('https://mcp.example/files')).toBe('pass');
    expect(await ask('https://mcp.example/everything')).toBe('error');
    expect(await ask('', 'x.y.z')).toBe('error');
  });

  it('says that it is healthy', async () => {
    expect(await grpc.health({ service: '' })).toEqual({ status: 1 });
  });
});

describe('a token in exchange', () => {
  it('comes with the permission, for the person of the token, and never without it', async () => {
    process.env['POLICY_EXCHANGE_SECRET'] = 's';
    const resource = 'https://mcp.example/files';
    const service = await startPolicyService({
      allowUnauthenticatedLoopback: true,
      settings: {
        grpc: { port: 0 },
        backends: { files: { resource, exchangeResource: 'https://upstream.example/files' } },
        dialects: { exchange: { clientId: 'pdp', clientSecretEnv: 'POLICY_EXCHANGE_SECRET' } },
      },
    });
    const grpc = grpcClients(service.grpcPort ?? 0);
    try {
      const ask = async (sub: string, groups: string[]) => {
        const token = await service.sign({ sub, groups, aud: resource });
        return grpc.checkRequest({
          service_names: ['files'],
          method: 'tools/call',
          // The gateway's word about somebody else does not decide about a token that is exchanged.
          metadata_context: toStruct({ sub: 'alice', groups: ['eng'] }),
          mcp_request: call('write_file'),
          headers: [{ key: 'authorization', value: Buffer.from(`Bearer ${token}`) }],
        });
      };
      service.issuerAnswers((form) =>
        form.get('resource') === 'https://upstream.example/files'
          ? { access_token: 'upstream-token', token_type: 'Bearer' }
          : undefined,
      );
      const { result, header_mutation } = await ask('alice', ['eng']);
      expect(result).toBe('pass');
      expect(
        header_mutation.set.map((one: { key: string; value: Buffer }) => [one.key, one.value.toString()]),
      ).toEqual([['authorization', 'Bearer upstream-token']]);
      expect((await ask('bob', [])).result).toBe('error');
      service.issuerAnswers(() => undefined);
      expect((await ask('alice', ['eng'])).result).toBe('error');
    } finally {
      grpc.close();
      await service.close();
      delete process.env['POLICY_EXCHANGE_SECRET'];
    }
  });
});
