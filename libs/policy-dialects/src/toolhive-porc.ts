import type { Evaluation } from '@behalf/contracts';
import { z } from 'zod';
import { callerOf } from './claims.js';
import { mcpEvaluation } from './mcp-call.js';
import { UnmappableRequest } from './unmappable-request.js';

const object = z.record(z.string(), z.unknown());
const porcSchema = z.object({
  principal: object,
  operation: z.string(),
  resource: z.string(),
  context: z.looseObject({ mcp: z.looseObject({ args: object.nullish() }).nullish() }).nullish(),
});

/** `mcp:<feature>:<operation>` and the MCP method it stands for. */
const methods: Readonly<Record<string, string>> = {
  'mcp:tool:call': 'tools/call',
  'mcp:tool:list': 'tools/list',
  'mcp:prompt:get': 'prompts/get',
  'mcp:prompt:list': 'prompts/list',
  'mcp:resource:read': 'resources/read',
  'mcp:resource:list': 'resources/list',
};
/** `mrn:mcp:<server>:<feature>:<id>`; the id may hold colons, a server's name may not. */
const mrn = /^mrn:mcp:([^:/]+):(tool|prompt|resource)(?::([^]*))?$/;

/**
 * ToolHive's PORC (principal, operation, resource, context) as an evaluation. Without `context.mcp.args`, which it
 * sends only when told to (`include_args`), the arguments count as unknown.
 *
 * @throws UnmappableRequest
 */
export function readPorc(body: unknown): Evaluation {
  const parsed = porcSchema.safeParse(body);
  if (!parsed.success) throw new UnmappableRequest('malformed', 'the body is not a PORC request');
  const { principal, operation, resource, context } = parsed.data;
  const method = Object.hasOwn(methods, operation) ? methods[operation] : undefined;
  if (method === undefined) throw new UnmappableRequest('refused', 'the operation is not known');
  const [, server, feature, id = ''] = mrn.exec(resource) ?? [];
  if (server === undefined)
    throw new UnmappableRequest('malformed', 'the resource is not an MRN of a server');
  if (feature !== operation.split(':')[1])
    throw new UnmappableRequest('refused', 'the operation is for another kind of resource');
  const args = context?.mcp?.args ?? undefined;
  const params = operation.endsWith(':list')
    ? {}
    : { [feature === 'resource' ? 'uri' : 'name']: id, ...(args !== undefined && { arguments: args }) };
  return mcpEvaluation({
    server,
    caller: callerOf(principal),
    method,
    params,
    argumentsUnknown: args === undefined && method !== 'resources/read' && !operation.endsWith(':list'),
  });
}
