import type { Era } from './classify-era.js';

/**
 * What a method is decided on: the thing it names, the prompt or resource that its `ref` names, the server as a whole,
 * or nothing beyond a valid token.
 */
export type DecidedOn = 'tool' | 'prompt' | 'resource_uri' | 'reference' | 'server' | 'token';

export interface McpMethod {
  eras: readonly Era[];
  decidedOn: DecidedOn;
  /** The parameter that `Mcp-Name` repeats. */
  nameParam?: 'name' | 'uri' | 'taskId';
  /** The member of the result that lists things, and which method a listed thing would be used by. */
  lists?: ListDescription;
}

export interface ListDescription {
  member: 'tools' | 'prompts' | 'resources';
  resourceType: 'tool' | 'prompt' | 'resource_uri';
  idMember: 'name' | 'uri';
  usedBy: 'tools/call' | 'prompts/get' | 'resources/read';
}

/** Every list that is filtered by policy, by the member that holds it. */
export const filteredLists: readonly ListDescription[] = [
  { member: 'tools', resourceType: 'tool', idMember: 'name', usedBy: 'tools/call' },
  { member: 'prompts', resourceType: 'prompt', idMember: 'name', usedBy: 'prompts/get' },
  { member: 'resources', resourceType: 'resource_uri', idMember: 'uri', usedBy: 'resources/read' },
];
const [tools, prompts, resources] = filteredLists as [ListDescription, ListDescription, ListDescription];

const both = ['modern', 'legacy'] as const;
const modern = ['modern'] as const;
const legacy = ['legacy'] as const;

/** Every request a client may send. What is not here is not let through. @see MCP schema, `ClientRequest` */
const methods: Record<string, McpMethod> = {
  'server/discover': { eras: modern, decidedOn: 'token' },
  initialize: { eras: legacy, decidedOn: 'token' },
  ping: { eras: legacy, decidedOn: 'token' },
  'logging/setLevel': { eras: legacy, decidedOn: 'token' },
  'completion/complete': { eras: both, decidedOn: 'reference' },
  'tools/list': { eras: both, decidedOn: 'server', lists: tools },
  'tools/call': { eras: both, decidedOn: 'tool', nameParam: 'name' },
  'prompts/list': { eras: both, decidedOn: 'server', lists: prompts },
  'prompts/get': { eras: both, decidedOn: 'prompt', nameParam: 'name' },
  'resources/list': { eras: both, decidedOn: 'server', lists: resources },
  'resources/templates/list': { eras: both, decidedOn: 'server' },
  'resources/read': { eras: both, decidedOn: 'resource_uri', nameParam: 'uri' },
  'resources/subscribe': { eras: legacy, decidedOn: 'resource_uri', nameParam: 'uri' },
  'resources/unsubscribe': { eras: legacy, decidedOn: 'resource_uri', nameParam: 'uri' },
  'subscriptions/listen': { eras: modern, decidedOn: 'server' },
  'tasks/get': { eras: both, decidedOn: 'server', nameParam: 'taskId' },
  'tasks/update': { eras: modern, decidedOn: 'server', nameParam: 'taskId' },
  'tasks/cancel': { eras: both, decidedOn: 'server', nameParam: 'taskId' },
  'tasks/list': { eras: legacy, decidedOn: 'server' },
  'tasks/result': { eras: legacy, decidedOn: 'server' },
};

/** The description of a method in an era; undefined when that era does not have it. */
export function describeMethod(method: string, era: Era): McpMethod | undefined {
  const described = Object.hasOwn(methods, method) ? methods[method] : undefined;
  return described?.eras.includes(era) ? described : undefined;
}

/** The lists whose results carry `ttlMs` and `cacheScope`. @see MCP 2026-07-28, server/utilities/caching */
export const cacheableMethods: ReadonlySet<string> = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);
