const agent = { agent: '$token.?client_id' };
const server = { type: 'mcp_server', id: '$token.aud' };
const named = (type: string, id: string) => ({ type, id });

/** Resource and further context of each method; subject, agent and action are the same for all. */
const table: Readonly<Record<string, { resource: object; context?: object }>> = {
  initialize: { resource: server, context: { protocol_version: '$params.protocolVersion' } },
  'tools/list': { resource: server },
  'tools/call': { resource: named('tool', '$params.name') },
  'resources/list': { resource: server },
  'resources/read': { resource: named('resource', '$params.uri') },
  'resources/subscribe': { resource: named('resource', '$params.uri') },
  'resources/unsubscribe': { resource: named('resource', '$params.uri') },
  'prompts/list': { resource: server },
  'prompts/get': { resource: named('prompt', '$params.name') },
  'logging/setLevel': { resource: server, context: { level: '$params.level' } },
  'tasks/get': { resource: named('task', '$params.taskId') },
  'tasks/result': { resource: named('task', '$params.taskId') },
  'tasks/cancel': { resource: named('task', '$params.taskId') },
  'tasks/list': { resource: server },
};

/**
 * The default mapping of a method; undefined where the draft has none, which denies. So it does for
 * `server/discover`, `subscriptions/listen`, `tasks/update` and `resources/templates/list`: the draft does not know
 * them.
 *
 * @see COAZ Binding for MCP 1.0 (draft 1), "Default Mappings"
 */
export function coazDefaultMapping(method: string, params: Record<string, unknown>): object | undefined {
  const row = method === 'completion/complete' ? completion(params) : lookUp(method);
  if (row === undefined) return undefined;
  return {
    evaluation: {
      subject: { type: 'identity', id: '$token.sub' },
      context: { ...agent, ...row.context },
      action: { name: method },
      resource: row.resource,
    },
  };
}

/** The draft writes `$` inside the expressions of this row, which is not CEL; this is what they mean. */
function completion(params: Record<string, unknown>): { resource: object; context?: object } {
  const ref = params['ref'];
  const isPrompt = typeof ref === 'object' && ref !== null && 'type' in ref && ref.type === 'ref/prompt';
  return {
    resource: isPrompt ? named('prompt', '$params.ref.name') : named('resource', '$params.ref.uri'),
  };
}

function lookUp(method: string): { resource: object; context?: object } | undefined {
  return Object.hasOwn(table, method) ? table[method] : undefined;
}
