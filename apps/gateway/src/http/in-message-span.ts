import { type Caller, type Classified, type McpMessage, metaKeys, metaOf } from '@behalf/mcp';
import { actorNames } from '@behalf/oauth';
import { attributes, inSpan, withTraceContext } from '@behalf/telemetry';
import { type Context, type Link, context, trace } from '@opentelemetry/api';
import { messageAttributes, spanNameOf } from '../upstream/traced-message.js';

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
  const actors = actorNames(caller.act);
  return inSpan(
    spanNameOf(message),
    {
      kind: 'SERVER',
      parent,
      links,
      attributes: {
        ...messageAttributes(message),
        [attributes.mcpProtocolVersion]: version,
        [attributes.upstream]: server,
        [attributes.clientId]: caller.client_id,
        [attributes.audience]: caller.aud,
        [attributes.actorDepth]: actors.length,
        [attributes.actorChain]: actors,
        ...(caller.grant_id !== undefined && { [attributes.grantId]: caller.grant_id }),
        ...(caller.txn !== undefined && { [attributes.txn]: caller.txn }),
      },
    },
    work,
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
