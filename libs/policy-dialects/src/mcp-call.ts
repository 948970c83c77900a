import type { Evaluation } from '@behalf/contracts';
import { type Caller, type McpMethod, buildEvaluation, describeMethod } from '@behalf/mcp';
import { UnmappableRequest } from './unmappable-request.js';

/** One MCP request as a gateway saw it: what every MCP dialect is read into before it becomes an evaluation. */
export interface McpCall {
  server: string;
  caller: Caller;
  method: string;
  params: Record<string, unknown> | undefined;
  /** The gateway did not see the arguments, or not all of them. */
  argumentsUnknown?: boolean;
}

/** What lets no one do anything: neither side waits for an answer to it. @see COAZ-MCP, "Pass-through Operations" */
export function isNotification(method: string): boolean {
  return method.startsWith('notifications/');
}

/** The description of a method in whichever era has it. */
export function describeAnyMethod(method: string): McpMethod | undefined {
  return describeMethod(method, 'modern') ?? describeMethod(method, 'legacy');
}

/**
 * The evaluation of a call, the same for every dialect and for the gateway of this project.
 *
 * @throws UnmappableRequest `refused` for a method that nobody knows, `malformed` when it does not name what it is for
 */
export function mcpEvaluation({ server, caller, method, params, argumentsUnknown }: McpCall): Evaluation {
  const described = describeAnyMethod(method);
  // COAZ-MCP: what a later revision adds fails closed.
  if (described === undefined) throw new UnmappableRequest('refused', 'the method is not known');
  const name = described.nameParam === undefined ? undefined : params?.[described.nameParam];
  const isNamed = typeof name === 'string' && name !== '';
  if (described.nameParam !== undefined && described.decidedOn !== 'server' && !isNamed)
    throw new UnmappableRequest('malformed', `params.${described.nameParam} is missing`);
  const request = { kind: 'request', id: 0, method, params } as const;
  const evaluation = buildEvaluation(caller, server, request, described);
  return {
    ...evaluation,
    context: {
      ...evaluation.context,
      ...(argumentsUnknown === true && { arguments: {}, arguments_unknown: true }),
    },
  };
}
