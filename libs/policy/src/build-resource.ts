import type { Evaluation } from '@behalf/contracts';
import type { CedarEntity } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { toCedarRecord } from './to-cedar-value.js';
import { describedTool } from './tool-definition.js';

/** What lives on an MCP server, under what Cedar type, and the attribute that holds its name there. */
const onServer: Record<string, { type: string; nameAttribute: string }> = {
  tool: { type: 'Tool', nameAttribute: 'name' },
  prompt: { type: 'Prompt', nameAttribute: 'name' },
  resource_uri: { type: 'ResourceUri', nameAttribute: 'uri' },
  // What COAZ-MCP calls it.
  resource: { type: 'ResourceUri', nameAttribute: 'uri' },
};
/**
 * What stands by itself. `audience` is the protected resource that an exchanged token would be for, `agent` the client
 * that would be named as its next actor.
 */
const standalone: Record<string, string> = { mcp_server: 'McpServer', audience: 'Audience', agent: 'Agent' };

/** No slash, or tool `b/c` of server `a` and tool `c` of server `a/b` were one entity; no colon, so that no URI begins like one. */
const serverName = /^[^/:]+$/;

/**
 * The resource as an entity. A tool, prompt or resource of server `s` is `Tool::"s/<id>"` with the parent
 * `McpServer::"s"` and the attributes `name` (or `uri`) and `server`; without a server it is `Tool::"<id>"` and has no
 * parent, so a policy about a server never covers it. The server is `properties.server`, or else `context.server`.
 * A tool also has `definition_hash` and `annotations` (`destructiveHint` and so on) when the evaluation describes it.
 * Types that are not MCP's stand by themselves under the Cedar type that `declared` gives them; MCP's own win.
 *
 * @throws InvalidEvaluation for a type that is not known, two servers that disagree, or an id that would pass for one
 *   on a server
 */
export function buildResource(
  resource: Evaluation['resource'],
  contextServer: unknown,
  declared: Readonly<Record<string, string>> = {},
): CedarEntity {
  const attrs = attributesOf(resource);
  const alone = lookUp(standalone, resource.type) ?? lookUp(declared, resource.type);
  if (alone !== undefined) return { uid: { type: alone, id: resource.id }, attrs, parents: [] };

  const kind = lookUp(onServer, resource.type);
  if (kind === undefined) throw new InvalidEvaluation('resource.type', 'is not known');
  attrs[kind.nameAttribute] = resource.id;
  const server = serverOf(resource, contextServer);
  if (server === undefined) {
    checkNotOnServer(resource.id);
    return { uid: { type: kind.type, id: resource.id }, attrs, parents: [] };
  }
  attrs['server'] = server;
  return {
    uid: { type: kind.type, id: `${server}/${resource.id}` },
    attrs,
    parents: [{ type: 'McpServer', id: server }],
  };
}

const describing = new Set(['definition', 'input_schema', 'definition_hash', 'annotations']);

/** A tool's definition becomes its hash and its annotations; the schema itself is no attribute, it types the arguments. */
function attributesOf({ type, id, properties }: Evaluation['resource']): CedarEntity['attrs'] {
  if (properties === undefined) return {};
  if (type !== 'tool') return toCedarRecord(properties, 'resource.properties');
  const attributes = toCedarRecord(properties, 'resource.properties', describing);
  const { definitionHash: definition_hash, annotations } = describedTool({ type, id, properties });
  if (definition_hash === undefined && annotations === undefined) return attributes;
  return { ...attributes, ...toCedarRecord({ definition_hash, annotations }, 'resource.properties') };
}

function serverOf(resource: Evaluation['resource'], contextServer: unknown): string | undefined {
  const own = resource.properties?.['server'] ?? undefined;
  const other = contextServer ?? undefined;
  if (own !== undefined && other !== undefined && own !== other) {
    throw new InvalidEvaluation('context.server', 'names another server than the resource');
  }
  const named = own ?? other;
  if (named === undefined) return undefined;
  if (typeof named !== 'string' || !serverName.test(named)) {
    throw new InvalidEvaluation('resource.properties.server', 'is not a server name');
  }
  return named;
}

/** The attack: leaving out the server and putting it into the id, to be taken for a tool that a policy names. */
function checkNotOnServer(id: string): void {
  const slash = id.indexOf('/');
  if (slash > 0 && serverName.test(id.slice(0, slash)))
    throw new InvalidEvaluation('resource.id', 'needs a server');
}

/** The types are callers' words: `constructor` is not one of ours. */
function lookUp<T>(table: Readonly<Record<string, T>>, type: string): T | undefined {
  return Object.hasOwn(table, type) ? table[type] : undefined;
}
