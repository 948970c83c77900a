import { evaluatePolicy } from '@behalf/contracts';
import { toStruct } from '@behalf/policy-dialects';
import { type Call, dialectSettings, evaluationOf, openDialects } from './ask-dialects.js';
import { startPolicyService } from './policy-service.js';

const call: Call = {
  person: 'alice',
  groups: ['eng'],
  actors: [],
  server: 'everything',
  method: 'tools/call',
  name: 'echo',
  args: {},
};

/** The service with room for two decisions, both taken by calls that wait for the audit log. */
async function startFull() {
  const service = await startPolicyService({
    replicas: 1,
    allowUnauthenticatedLoopback: true,
    settings: { ...dialectSettings, maxInFlight: 2 },
  });
  const { dialects, grpc } = openDialects(service);
  const held = service.audit.hold();
  const waiting = [evaluationOf(call), evaluationOf(call)].map((evaluation) =>
    service.bus.request(evaluatePolicy, evaluation, { timeoutMs: 20_000 }),
  );
  await held.reached(2);
  return {
    service,
    dialects,
    grpc,
    release: async () => {
      held.release();
      return Promise.all(waiting);
    },
    close: async () => {
      held.release();
      grpc.close();
      await service.close();
    },
  };
}

describe('past its bound', () => {
  it('sheds in every dialect, allows in none, and answers again when there is room', async () => {
    const full = await startFull();
    try {
      const answers = await Promise.all(
        full.dialects.map(async (one) => [one.name, await one.ask(call).catch(() => 'refused')]),
      );
      expect(answers.filter(([, answer]) => answer === true)).toEqual([]);
      expect(full.service.audit.records).toEqual([]);
      expect(await full.release()).toMatchObject([{ decision: true }, { decision: true }]);
      for (const dialect of full.dialects)
        expect([dialect.name, await dialect.ask(call)]).toEqual([dialect.name, true]);
    } finally {
      await full.close();
    }
  });

  it('says so, each in its own words', async () => {
    const { service, grpc, close } = await startFull();
    try {
      for (const path of ['/access/v1/evaluation', '/access/v1/enforce']) {
        const response = await fetch(`${service.url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(evaluationOf(call)),
        });
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
      }
      const authorization = `Bearer ${await service.sign({ sub: 'alice', aud: 'https://mcp.example/everything' })}`;
      const headers = { authorization, 'content-type': 'application/json' };
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo' } };
      const proxied = await fetch(`${service.url}/ext-authz/mcp/everything`, {
        method: 'POST',
        headers,
        body: JSON.stringify(message),
      });
      expect([proxied.status, proxied.headers.get('retry-after')]).toEqual([503, '1']);

      const asked = { service_names: ['everything'], metadata_context: toStruct({ sub: 'alice' }) };
      const params = Buffer.from(JSON.stringify(message.params));
      const request = await grpc.checkRequest({ ...asked, method: 'tools/call', mcp_request: params });
      expect([request.result, request.error.code]).toEqual(['error', 2]);
      const list = Buffer.from(JSON.stringify({ tools: [{ name: 'echo' }] }));
      const response = await grpc.checkResponse({ ...asked, method: 'tools/list', mcp_response: list });
      expect([response.result, response.error.code]).toEqual(['error', 2]);

      const filters = {
        'envoy.filters.http.jwt_authn': toStruct({
          jwt_payload: { sub: 'alice', aud: 'https://mcp.example/everything' },
        }),
      };
      const { status, denied_response } = await grpc.check({
        attributes: {
          request: { http: { method: 'POST', path: '/mcp/everything', body: JSON.stringify(message) } },
          metadata_context: { filter_metadata: filters },
        },
      });
      expect([status.code, denied_response.status.code]).toEqual([8, 503]);
      expect(denied_response.headers.at(-1).header).toMatchObject({ key: 'retry-after', value: '1' });
    } finally {
      await close();
    }
  });
});
