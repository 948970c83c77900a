/** What ContextForge calls the methods of MCP; what is not here stays as it is. */
const contextForgeActions: Readonly<Record<string, string>> = {
  'tools.invoke': 'tools/call',
  'tools.read': 'tools/list',
  'tools.list': 'tools/list',
  'prompts.get': 'prompts/get',
  'prompts.read': 'prompts/get',
  'prompts.list': 'prompts/list',
  'resources.read': 'resources/read',
  'resources.list': 'resources/list',
};

/** The MCP method that an action of another system means. */
export function mcpActionOf(action: string): string {
  return Object.hasOwn(contextForgeActions, action) ? (contextForgeActions[action] ?? action) : action;
}

/** `server` is what ContextForge calls an MCP server, `resource` what is read from one. */
const resourceTypes: Readonly<Record<string, string>> = { server: 'mcp_server', resource: 'resource_uri' };

export function resourceTypeOf(type: string): string {
  return Object.hasOwn(resourceTypes, type) ? (resourceTypes[type] ?? type) : type;
}

/** Actions that are about arguments: when the caller sends none, nobody knows them. */
const withArguments = new Set(['tools/call', 'prompts/get']);

export function argumentsContext(action: string, args: unknown): Record<string, unknown> {
  if (args !== undefined && args !== null) return { arguments: args };
  return withArguments.has(action) ? { arguments_unknown: true } : {};
}
