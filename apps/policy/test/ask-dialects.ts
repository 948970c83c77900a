import { evaluatePolicy } from '@behalf/contracts';
import { encodeHeaderValue } from '@behalf/mcp';
import { nestActor } from '@behalf/oauth';
import { toStruct } from '@behalf/policy-dialects';
import type { Bus } from '@behalf/ports';
import { type GrpcClients, grpcClients } from './grpc-client.js';
import type { PolicyService } from './policy-service.js';

/** A call as everybody means it, before any dialect. */
export interface Call {
  person: string;
  groups: string[];
  /** The current actor first. */
  actors: string[];
  server: string;
  method: string;
  /** The tool, prompt or URI; undefined for what is about the server. */
  name: string | undefined;
  args: Record<string, unknown>;
}

export const backendSettings = Object.fromEntries(
  ['everything', 'files', 'whoami', 'other'].map((name) => [
    name,
    { resource: `https://mcp.example/${name}`, path: `/mcp/${name}`, enforcesHeaderMatch: true },
  ]),
);
export const dialectSettings = { grpc: { port: 0 }, backends: backendSettings };

/** How a dialect that shows only headers, or only some parameters, sees a call. */
export type Sight = 'all' | 'no arguments';
export interface Dialect {
  name: string;
  sight: Sight;
  ask(call: Call): Promise<boolean>;
}

const resourceTypes: Record<string, string> = { tool: 'tool', prompt: 'prompt', resource: 'resource_uri' };
const kindOf = (call: Call): string => call.method.slice(0, call.method.indexOf('/') - 1);
const isRead = (call: Call): boolean => call.method === 'resources/read';

export function paramsOf(call: Call): Record<string, unknown> {
  if (call.name === undefined) return {};
  return isRead(call) ? { uri: call.name } : { name: call.name, arguments: call.args };
}

function claimsOf({ person, groups, actors }: Call): Record<string, unknown> {
  const act = actors.reduceRight<ReturnType<typeof nestActor> | undefined>(
    (earlier, sub) => nestActor({ sub }, earlier),
    undefined,
  );
  return { sub: person, groups, client_id: actors[0] ?? 'app', scope: 'mcp:tools', ...(act && { act }) };
}

export function evaluationOf(call: Call, unseen = false) {
  return {
    subject: { type: 'user', id: call.person, properties: { groups: call.groups } },
    action: { name: call.method },
    resource:
      call.name === undefined
        ? { type: 'mcp_server', id: call.server }
        : { type: resourceTypes[kindOf(call)] ?? 'x', id: call.name, properties: { server: call.server } },
    context: {
      actors: call.actors.map((sub) => ({ sub })),
      server: call.server,
      client_id: call.actors[0] ?? 'app',
      arguments: (isRead(call) ? { uri: call.name } : call.args) as Record<string, never>,
      ...(unseen && { arguments_unknown: true }),
    },
  };
}

/** Request and reply, on whatever bus. */
export function busDialect(bus: Bus): Dialect {
  return {
    name: 'bus',
    sight: 'all',
    ask: async (call) =>
      (await bus.request(evaluatePolicy, evaluationOf(call), { timeoutMs: 20_000 })).decision,
  };
}

/** Every dialect the service speaks, each with its way of asking about a call. */
export function openDialects(service: PolicyService): { dialects: Dialect[]; grpc: GrpcClients } {
  const grpc = grpcClients(service.grpcPort ?? 0);
  const post = async (path: string, body: unknown): Promise<{ status: number; body: any }> => {
    const response = await fetch(`${service.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const message = (call: Call) => ({ jsonrpc: '2.0', id: 1, method: call.method, params: paramsOf(call) });
  const bearer = async (call: Call) =>
    `Bearer ${await service.sign({ ...claimsOf(call), aud: `https://mcp.example/${call.server}` })}`;
  const routing = (call: Call): Record<string, string> => ({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': call.method,
    ...(call.name !== undefined && { 'mcp-name': encodeHeaderValue(call.name) }),
  });
  const claims = (call: Call) => toStruct({ ...claimsOf(call) });
  const attributes = (call: Call, http: object, filters: object = {}) => ({
    attributes: {
      request: { http: { method: 'POST', path: `/mcp/${call.server}`, host: 'gateway', ...http } },
      context_extensions: { server: call.server },
      metadata_context: {
        filter_metadata: {
          'envoy.filters.http.jwt_authn': toStruct({
            jwt_payload: { ...claimsOf(call), aud: `https://mcp.example/${call.server}` },
          }),
          ...filters,
        },
      },
    },
  });
  const checked = async (request: object) => {
    const { status, ok_response } = await grpc.check(request);
    return status.code === 0 && ok_response !== undefined;
  };

  const dialects: Dialect[] = [
    {
      name: 'AuthZEN evaluation',
      sight: 'all',
      ask: async (call) => (await post('/access/v1/evaluation', evaluationOf(call))).body.decision,
    },
    {
      name: 'AuthZEN evaluations',
      sight: 'all',
      ask: async (call) => {
        const { subject, ...item } = evaluationOf(call);
        return (await post('/access/v1/evaluations', { subject, evaluations: [item] })).body.evaluations[0]
          .decision;
      },
    },
    {
      name: 'AuthZEN enforce',
      sight: 'all',
      ask: async (call) => (await post('/access/v1/enforce', evaluationOf(call))).status === 200,
    },
    busDialect(service.bus),
    {
      name: 'ExtMcp',
      sight: 'all',
      ask: async (call) => {
        const answer = await grpc.checkRequest({
          service_names: [call.server],
          method: call.method,
          metadata_context: claims(call),
          mcp_request: Buffer.from(JSON.stringify(paramsOf(call))),
        });
        return answer.result === 'pass';
      },
    },
    {
      name: 'ext_authz gRPC, body',
      sight: 'all',
      ask: async (call) => checked(attributes(call, { body: JSON.stringify(message(call)) })),
    },
    {
      name: 'ext_authz gRPC, metadata',
      sight: 'no arguments',
      ask: async (call) =>
        checked(
          attributes(
            call,
            {},
            {
              mcp_proxy: toStruct({
                method: call.method,
                params: { ...paramsOf(call), arguments: undefined },
              }),
            },
          ),
        ),
    },
    {
      name: 'ext_authz gRPC, headers',
      sight: 'no arguments',
      ask: async (call) => checked(attributes(call, { headers: routing(call) })),
    },
    {
      name: 'ext_authz HTTP',
      sight: 'all',
      ask: async (call) => {
        const response = await fetch(`${service.url}/ext-authz/mcp/${call.server}`, {
          method: 'POST',
          headers: { authorization: await bearer(call), 'content-type': 'application/json' },
          body: JSON.stringify(message(call)),
        });
        await response.arrayBuffer();
        return response.status === 200;
      },
    },
    {
      name: 'forward-auth',
      sight: 'no arguments',
      ask: async (call) => {
        const response = await fetch(`${service.url}/access/v1/forward-auth/${call.server}`, {
          headers: {
            authorization: await bearer(call),
            'x-forwarded-method': 'POST',
            'x-forwarded-uri': '/mcp',
            ...routing(call),
          },
        });
        await response.arrayBuffer();
        return response.status === 200;
      },
    },
    {
      name: 'ToolHive PORC',
      sight: 'all',
      ask: async (call) => {
        const kind = kindOf(call);
        const { body } = await post('/decision', {
          principal: claimsOf(call),
          operation: `mcp:${kind}:${call.method.split('/')[1]}`,
          resource: `mrn:mcp:${call.server}:${kind}:${call.name ?? '*'}`,
          context: { mcp: { feature: kind, args: call.args } },
        });
        return body.allow;
      },
    },
    {
      name: 'OPA data, flat',
      sight: 'all',
      ask: async (call) => {
        const { subject, action, resource, context } = evaluationOf(call);
        const { body } = await post('/v1/data/mcpgateway', {
          input: {
            subject: { email: subject.id, groups: call.groups },
            action: action.name === 'tools/call' ? 'tools.invoke' : action.name,
            resource: { type: resource.type, id: resource.id, server: resource.properties?.server ?? '' },
            context,
          },
        });
        return body.result.allow;
      },
    },
    {
      name: 'OPA data, AuthZEN',
      sight: 'all',
      ask: async (call) => (await post('/v1/data/behalf/allow', { input: evaluationOf(call) })).body.result,
    },
    {
      name: 'Cedar authorize',
      sight: 'all',
      ask: async (call) => {
        const { resource, context } = evaluationOf(call);
        const type = { tool: 'Tool', prompt: 'Prompt', resource_uri: 'Resource' }[resource.type] ?? 'Server';
        const { body } = await post('/v1/authorize', {
          principal: { type: 'User', id: call.person },
          action: { type: 'Action', id: call.method },
          resource: { type, id: resource.id, attrs: { server: resource.properties?.server ?? '' } },
          context,
          entities: [
            {
              identifier: { type: 'User', id: call.person },
              attrs: {},
              parents: call.groups.map((id) => ({ type: 'Team', id })),
            },
          ],
        });
        return body.decision === 'Allow';
      },
    },
  ];
  return { dialects, grpc };
}
