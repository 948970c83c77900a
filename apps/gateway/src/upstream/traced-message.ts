import { type McpMessage, type McpRequest, metaKeys, metaOf, withMeta } from '@behalf/mcp';
import { attributes, inSpan, injectTraceContext } from '@behalf/telemetry';
import type { Span } from '@opentelemetry/api';

const plainName = /^[\w./-]{1,128}$/;

/** The tool or prompt that a request names, where it is a plain name: span names must stay few. */
export function plainNameOf(message: McpMessage, method: string): string | undefined {
  if (message.kind === 'response' || message.method !== method) return undefined;
  const name = message.params?.['name'];
  return typeof name === 'string' && plainName.test(name) ? name : undefined;
}

/** `{method}`, or `{method} {tool or prompt}`. @see OpenTelemetry semantic conventions for MCP, "Span name" */
export function spanNameOf(message: Exclude<McpMessage, { kind: 'response' }>): string {
  const name = plainNameOf(message, 'tools/call') ?? plainNameOf(message, 'prompts/get');
  return name === undefined ? message.method : `${message.method} ${name}`;
}

/** The attributes that client and server spans of one message share. Never arguments. */
export function messageAttributes(
  message: Exclude<McpMessage, { kind: 'response' }>,
): Record<string, string> {
  const tool = plainNameOf(message, 'tools/call');
  const prompt = plainNameOf(message, 'prompts/get');
  return {
    [attributes.mcpMethod]: message.method,
    ...(message.kind === 'request' && { [attributes.jsonRpcRequestId]: shortened(message.id) }),
    ...(tool !== undefined && { [attributes.toolName]: tool, [attributes.operationName]: 'execute_tool' }),
    ...(prompt !== undefined && { [attributes.promptName]: prompt }),
  };
}

/** Ids are the client's to choose, and may be as long as a whole body. */
function shortened(id: McpRequest['id']): string {
  return String(id).slice(0, 128);
}

/** Runs the call of an upstream in a CLIENT span, to which `tracedMessage` then points the upstream. */
export function inUpstreamSpan<T>(
  server: string,
  message: McpMessage,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (message.kind !== 'request') return work(undefined);
  return inSpan(
    spanNameOf(message),
    { kind: 'CLIENT', attributes: { ...messageAttributes(message), [attributes.upstream]: server } },
    work,
  );
}

/** The message with the active span as its parent in `_meta`, and without the baggage of strangers. */
export function tracedMessage<M extends McpMessage>(message: M): M {
  if (message.kind !== 'request') return message;
  const request: McpRequest = message;
  const {
    [metaKeys.traceparent]: _parent,
    [metaKeys.tracestate]: _state,
    [metaKeys.baggage]: _baggage,
    ...meta
  } = metaOf(request);
  return withMeta(request, { ...meta, ...injectTraceContext() }) as M;
}
