import type { Evaluation } from '@behalf/contracts';
import type { CedarEntity, EntityUid } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { toCedarRecord } from './to-cedar-value.js';

/** What lives on an MCP server, under what Cedar type, and the attribute that holds its name there. */
const onServer: Record<string, { type: string; nameAttribute: string }> = {
  tool: { type: 'Tool', nameAttribute: 'name' },
  prompt: { type: 'Prompt', nameAttribute: 'name' },
  resource_uri: { type: 'ResourceUri', nameAttribute: 'uri' },
};
/** What stands by itself. `audience` is the protected resource that an exchanged token would be for. */
const standalone: Record<string, string> = { mcp_server: 'McpServer', audience: 'Audience' };

/**
 * The resource as an entity. A tool, prompt or resource of server `s` is `Tool::"s/<id>"` with the parent
 * `McpServer::"s"` and the attributes `name` (or `uri`) and `server`; without a server it is `Tool::"<id>"` and has no
 * parent, so a policy about a server never covers it. The server is `properties.server`, or else `context.server`.
 *
 * @throws InvalidEvaluation for a type that is not known, or two servers that disagree
 */
export function buildResource(resource: Evaluation['resource'], contextServer: unknown): CedarEntity {
  const attrs = toCedarRecord(resource.properties ?? {}, 'resource.properties');
  const alone = Object.hasOwn(standalone, resource.type) ? standalone[resource.type] : undefined;
  if (alone !== undefined) return { uid: { type: alone, id: resource.id }, attrs, parents: [] };

  const kind = Object.hasOwn(onServer, resource.type) ? onServer[resource.type] : undefined;
  if (kind === undefined) throw new InvalidEvaluation('resource.type', 'is not known');
  const server = serverOf(resource, contextServer);
  const parents: EntityUid[] = server === undefined ? [] : [{ type: 'McpServer', id: server }];
  return {
    uid: { type: kind.type, id: server === undefined ? resource.id : `${server}/${resource.id}` },
    attrs: { ...attrs, [kind.nameAttribute]: resource.id, ...(server !== undefined && { server }) },
    parents,
  };
}

function serverOf(resource: Evaluation['resource'], contextServer: unknown): string | undefined {
  const own = resource.properties?.['server'] ?? undefined;
  const named = own ?? contextServer ?? undefined;
  if (named === undefined) return undefined;
  // With a slash in it, tool `b/c` of server `a` and tool `c` of server `a/b` would be one entity.
  if (typeof named !== 'string' || named === '' || named.includes('/')) {
    throw new InvalidEvaluation('resource.properties.server', 'is not a server name');
  }
  if (own !== undefined && contextServer !== undefined && contextServer !== null && own !== contextServer) {
    throw new InvalidEvaluation('context.server', 'names another server than the resource');
  }
  return named;
}
