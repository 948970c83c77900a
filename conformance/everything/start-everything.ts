import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import {
  type EventStore,
  McpServer,
  classifyInboundRequest,
  createMcpHandler,
  createRequestStateCodec,
} from '@modelcontextprotocol/server';
import { randomBytes, randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import * as z from 'zod';
import { addAskingTools } from './asking-tools.js';
import { addContentTools } from './content-tools.js';
import { addInputRequiredTools } from './input-required-tools.js';
import { addPrompts, addResources } from './prompts-and-resources.js';
import { describeTool, text } from './samples.js';

const single = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

/**
 * A server with everything the conformance suite asks for, in both eras: stateless for 2026-07-28, with sessions and
 * resumable streams for 2025-11-25.
 */
export async function startEverything() {
  const codec = createRequestStateCodec<Record<string, unknown>>({ key: randomBytes(32) });
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();

  const build = (): McpServer => {
    const server = new McpServer(
      { name: 'conformance-everything', version: '1.0.0' },
      {
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { subscribe: true, listChanged: true },
          logging: {},
          completions: {},
        },
        requestState: { verify: (state, context) => codec.verify(state, context) },
      },
    );
    addContentTools(server);
    addAskingTools(server, ({ sessionId, mcpReq }) =>
      sessions.get(sessionId ?? '')?.closeSSEStream(mcpReq.id),
    );
    addInputRequiredTools(server, (state) => codec.mint(state));
    addPrompts(server);
    addResources(server);
    for (const [name, change] of [
      ['test_trigger_tool_change', () => modern.notify.toolsChanged()],
      ['test_trigger_prompt_change', () => modern.notify.promptsChanged()],
    ] as const)
      server.registerTool(name, { description: describeTool(name), inputSchema: z.object({}) }, () => {
        change();
        return { content: [text('published')] };
      });
    return server;
  };
  const modern = createMcpHandler(build);
  const serveModern = toNodeHandler(modern);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body: unknown = request.method === 'POST' ? await json(request) : undefined;
    const { headers } = request;
    const inbound = classifyInboundRequest({
      httpMethod: request.method ?? '',
      protocolVersionHeader: single(headers['mcp-protocol-version']),
      mcpMethodHeader: single(headers['mcp-method']),
      ...(body !== undefined && { body }),
    });
    if (inbound.kind !== 'legacy') return serveModern(request, response, body);
    const sessionId = single(headers['mcp-session-id']);
    const known = sessions.get(sessionId ?? '');
    if (sessionId !== undefined && known === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}');
      return;
    }
    await (known ?? (await openSession())).handleRequest(request, response, body);
  };
  const openSession = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: rememberEvents(),
      retryInterval: 500,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the transport has no other way
    transport.onclose = () => void sessions.delete(transport.sessionId ?? '');
    await build().connect(transport);
    return transport;
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: async (): Promise<void> => {
      await modern.close();
      for (const transport of sessions.values()) await transport.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

function rememberEvents(): EventStore {
  const events: { id: string; stream: string; message: Parameters<EventStore['storeEvent']>[1] }[] = [];
  return {
    storeEvent: async (stream, message) => {
      const id = `${stream}::${events.length}`;
      events.push({ id, stream, message });
      return id;
    },
    replayEventsAfter: async (lastId, { send }) => {
      const stream = lastId.slice(0, lastId.lastIndexOf('::'));
      const from = Number(lastId.slice(lastId.lastIndexOf('::') + 2)) + 1;
      for (const event of events.slice(from))
        if (event.stream === stream && Object.keys(event.message).length > 0)
          await send(event.id, event.message);
      return stream;
    },
  };
}
