import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

/** A server of the official SDK, revision 2026-07-28, with tools named like those of the demo. Counts calls. */
export async function startModernMcpServer() {
  const called: string[] = [];
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'tools', version: '1.0.0' }, { capabilities: { tools: {} } });
    for (const name of ['echo', 'get-env']) {
      server.registerTool(
        name,
        { description: name, inputSchema: z.object({ message: z.string().optional() }) },
        () => {
          called.push(name);
          return { content: [{ type: 'text', text: `called ${name}` }] };
        },
      );
    }
    return server;
  });
  const serve = toNodeHandler(handler);
  const server = createServer((request, response) => {
    const body = request.method === 'POST' ? json(request) : Promise.resolve(undefined);
    body.then((read) => serve(request, response, read)).catch(() => response.destroy());
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    called,
    async close(): Promise<void> {
      await handler.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
