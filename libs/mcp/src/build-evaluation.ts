import type { Evaluation, EvaluationsRequest } from '@behalf/contracts';
import { type ActClaim, actorChain, actsForItself } from '@behalf/oauth';
import { type Json, type McpRequest, isJsonObject } from './mcp-message.js';
import type { ListDescription, McpMethod } from './mcp-methods.js';

/** Who calls, by the claims of a token that has been verified. */
export interface Caller {
  sub: string;
  client_id: string;
  aud: string;
  scope: string;
  act?: ActClaim | undefined;
  groups?: string[] | undefined;
}

type Properties = NonNullable<Evaluation['context']>;

/**
 * The question to the policy for one request: this person, through these actors, wants this method of this thing on
 * this server, with these arguments. Who calls for itself is no person, and is asked about as the agent that it is.
 *
 * @see AuthZEN Authorization API 1.0 §6.1
 */
export function buildEvaluation(
  caller: Caller,
  server: string,
  request: McpRequest,
  method: McpMethod,
): Evaluation {
  return {
    subject: subjectOf(caller),
    action: { name: request.method },
    resource: resourceOf(server, request, method),
    context: { ...contextOf(caller, server), arguments: argumentsOf(request) as Properties },
  };
}

/** The question which of the listed things the caller may use. Nothing is being called, so there are no arguments. */
export function buildListEvaluation(
  caller: Caller,
  server: string,
  list: ListDescription,
  ids: string[],
): EvaluationsRequest {
  return {
    subject: subjectOf(caller),
    action: { name: list.usedBy },
    context: { ...contextOf(caller, server), preview: true },
    evaluations: ids.map((id) => ({ resource: { type: list.resourceType, id, properties: { server } } })),
    options: { evaluations_semantic: 'execute_all' },
  };
}

/** The tool, prompt or resource that a request is about; undefined when it is about the server, or names nothing. */
export function namedThing(
  { params }: McpRequest,
  { decidedOn, nameParam }: McpMethod,
): { type: string; id: string } | undefined {
  if (decidedOn === 'server' || decidedOn === 'token') return undefined;
  if (decidedOn === 'reference') return referredThing(params?.['ref']);
  const id = nameParam && params?.[nameParam];
  return typeof id === 'string' && id !== '' ? { type: decidedOn, id } : undefined;
}

/** @see MCP schema, `PromptReference` and `ResourceTemplateReference` */
function referredThing(ref: unknown): { type: string; id: string } | undefined {
  if (!isJsonObject(ref)) return undefined;
  const { type, name, uri } = ref;
  if (type === 'ref/prompt' && typeof name === 'string' && name !== '') return { type: 'prompt', id: name };
  if (type === 'ref/resource' && typeof uri === 'string' && uri !== '')
    return { type: 'resource_uri', id: uri };
  return undefined;
}

function subjectOf(caller: Caller): Evaluation['subject'] {
  const { sub, groups = [] } = caller;
  return actsForItself(caller)
    ? { type: 'agent', id: sub }
    : { type: 'user', id: sub, properties: { groups } };
}

function resourceOf(server: string, request: McpRequest, method: McpMethod): Evaluation['resource'] {
  const named = namedThing(request, method);
  return named ? { ...named, properties: { server } } : { type: 'mcp_server', id: server };
}

function contextOf(caller: Caller, server: string): Properties {
  // With its issuer, where a chain has one: a namesake elsewhere is somebody else.
  const actors = actorChain(caller.act).map(({ sub, client_id, iss }): Record<string, string> => ({
    sub,
    ...(client_id !== undefined && { client_id }),
    ...(iss !== undefined && { iss }),
  }));
  return { actors, server, client_id: caller.client_id, scope: caller.scope, aud: caller.aud };
}

/** The arguments where the method has some; else its parameters, which then play that part. */
function argumentsOf({ method, params }: McpRequest): Json {
  if (method === 'tools/call' || method === 'prompts/get')
    return isJsonObject(params?.['arguments']) ? params['arguments'] : {};
  const { _meta, ...rest } = params ?? {};
  return rest;
}
