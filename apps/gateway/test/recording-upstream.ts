import { readBody } from '@behalf/service-kit';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  httpMethod: string;
  headers: IncomingHttpHeaders;
  message: Record<string, any>;
  /** Fires when the gateway goes away before it has its answer. */
  aborted: Promise<void>;
}
export type Reply = (seen: SeenRequest, response: ServerResponse) => void;

/** A server that remembers everything it is sent, and answers as the test says. */
export async function startRecordingUpstream(reply: Reply = answerEverything) {
  const seen: SeenRequest[] = [];
  const waiting: ((request: SeenRequest) => void)[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.from(await readBody(request, 1_000_000)).toString();
    const one: SeenRequest = {
      httpMethod: request.method ?? '',
      headers: request.headers,
      message: body === '' ? {} : (JSON.parse(body) as Record<string, any>),
      aborted: new Promise((resolve) => {
        response.once('close', () => {
          if (!response.writableFinished) resolve();
        });
      }),
    };
    seen.push(one);
    waiting.splice(0).forEach((tell) => tell(one));
    reply(one, response);
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen,
    next: () => new Promise<SeenRequest>((resolve) => void waiting.push(resolve)),
    close: (): void => {
      server.close();
      server.closeAllConnections();
    },
  };
}
export type RecordingUpstream = Awaited<ReturnType<typeof startRecordingUpstream>>;

export function respond(
  response: ServerResponse,
  message: unknown,
  headers: Record<string, string> = {},
  status = 200,
): void {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(message === undefined ? undefined : JSON.stringify(message));
}

const tools = ['allowed', 'forbidden-tool'].map((name) => ({ name, inputSchema: { type: 'object' } }));
const results: Record<string, unknown> = {
  'server/discover': {
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    ttlMs: 0,
    cacheScope: 'public',
  },
  'tools/list': { tools, ttlMs: 60_000, cacheScope: 'public' },
  'tools/call': { content: [{ type: 'text', text: 'done' }] },
};

/** A modern server with two tools. */
export function answerEverything({ message }: SeenRequest, response: ServerResponse): void {
  const result = results[String(message['method'])];
  if (message['id'] === undefined) response.writeHead(202).end();
  else if (result === undefined)
    respond(response, { jsonrpc: '2.0', id: message['id'], error: { code: -32601, message: 'no' } }, {}, 404);
  else
    respond(response, { jsonrpc: '2.0', id: message['id'], result: { resultType: 'complete', ...result } });
}
