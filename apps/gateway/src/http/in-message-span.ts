import { type Caller, type Classified, McpError, type McpMessage, metaKeys, metaOf } from '@behalf/mcp';
import { actorChain } from '@behalf/oauth';
import { attributes, inSpan, withTraceContext } from '@behalf/telemetry';
import { type Context, type Link, context, trace } from '@opentelemetry/api';

const plainName = /^[\w./-]{1,128}$/;

/**
 * Runs the handling of one message in a SERVER span. The caller's `_meta` names its parent; the HTTP request it came
 * in is linked. Baggage of strangers is dropped, and arguments are never recorded.
 *
 * @see OpenTelemetry semantic conventions for MCP
 */
export function inMessageSpan(
  message: McpMessage,
  { version }: Classified,
  server: string,
  caller: Caller & { grant_id?: string | undefined; txn?: string | undefined },
  work: () => Promise<void>,
): Promise<void> {
  if (message.kind === 'response') return work();
  const { parent, links } = parentOf(message);
  const tool = nameOf(message, 'tools/call');
  const prompt = nameOf(message, 'prompts/get');
  const name = [message.method, tool ?? prompt].filter((part) => part !== undefined).join(' ');
  const actors = actorChain(caller.act);
  return inSpan(
    name,
    {
      kind: 'SERVER',
      parent,
      links,
      attributes: {
        [attributes.mcpMethod]: message.method,
        [attributes.mcpProtocolVersion]: version,
        [attributes.upstream]: server,
        [attributes.clientId]: caller.client_id,
        [attributes.audience]: caller.aud,
        [attributes.actorDepth]: actors.length,
        [attributes.actorChain]: actors.map((actor) => actor.client_id ?? actor.sub),
        ...(caller.grant_id !== undefined && { [attributes.grantId]: caller.grant_id }),
        ...(caller.txn !== undefined && { [attributes.txn]: caller.txn }),
        ...(message.kind === 'request' && { [attributes.jsonRpcRequestId]: String(message.id) }),
        ...(tool !== undefined && {
          [attributes.toolName]: tool,
          [attributes.operationName]: 'execute_tool',
        }),
        ...(prompt !== undefined && { [attributes.promptName]: prompt }),
      },
    },
    async (span) => {
      try {
        await work();
      } catch (error) {
        if (error instanceof McpError) span.setAttribute(attributes.errorType, String(error.code));
        throw error;
      }
    },
  );
}

function parentOf(message: Exclude<McpMessage, { kind: 'response' }>): { parent: Context; links: Link[] } {
  const ambient = trace.getActiveSpan()?.spanContext();
  const { [metaKeys.traceparent]: traceparent, [metaKeys.tracestate]: tracestate } = metaOf(message);
  if (typeof traceparent !== 'string') return { parent: context.active(), links: [] };
  const parent = withTraceContext({
    traceparent,
    ...(typeof tracestate === 'string' && { tracestate }),
  });
  const valid = trace.getSpanContext(parent)?.spanId !== ambient?.spanId;
  return { parent, links: valid && ambient ? [{ context: ambient }] : [] };
}

/** The name, where it is one: it ends up in span names, which must stay few and plain. */
function nameOf(message: Exclude<McpMessage, { kind: 'response' }>, method: string): string | undefined {
  const name = message.method === method ? message.params?.['name'] : undefined;
  return typeof name === 'string' && plainName.test(name) ? name : undefined;
}
