import { Client as ClientV2, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  ElicitRequestSchema,
  ElicitationCompleteNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { FakeIssuer } from './fake-issuer.fixture.js';
import { ThirdParty, ThirdPartyTokenError, requestDigest, toolV1, toolV2 } from './index.js';

const auth = { token: 'token-of-alice', clientId: 'gateway', scopes: [] };
let issuer: FakeIssuer;
let server: Server | undefined;
let drive: ThirdParty;
const closing: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  issuer = await FakeIssuer.start();
  drive = new ThirdParty({
    issuer: issuer.url,
    clientId: 'files',
    clientSecret: 's:e c',
    resource: 'https://api.drive.example',
    scope: 'files.read',
  });
});
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
  await issuer.close();
});

async function listen(handler: RequestListener): Promise<URL> {
  server = createServer(handler);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}

const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

describe('with the SDK v2', () => {
  const start = () => {
    const handler = toNodeHandler(
      createMcpHandler(() => {
        const mcp = new McpServer({ name: 'files', version: '1.0.0' });
        const inputSchema = z.object({ folder: z.string() });
        mcp.registerTool(
          'list',
          { inputSchema },
          toolV2(drive, mcp, 'list', ({ folder }: z.output<typeof inputSchema>, _context, token) =>
            said(`${folder} with ${token}`),
          ),
        );
        mcp.registerTool(
          'whoami',
          {},
          toolV2(drive, mcp, 'whoami', (_args, _context, token) => said(token)),
        );
        return mcp;
      }),
    );
    return listen((request: IncomingMessage & { auth?: typeof auth }, response) => {
      request.auth = auth;
      void handler(request, response);
    });
  };
  const connect = async (
    url: URL,
    era: 'modern' | 'legacy',
    onElicit?: (params: unknown) => 'accept' | 'decline',
  ) => {
    const client = new ClientV2(
      { name: 'test', version: '1.0.0' },
      {
        versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' },
        ...(onElicit && { capabilities: { elicitation: { url: {} } } }),
      },
    );
    if (onElicit)
      client.setRequestHandler('elicitation/create', async ({ params }) => ({ action: onElicit(params) }));
    await client.connect(new StreamableHTTPClientTransport(url));
    closing.push(client);
    return client;
  };
  const call = { name: 'list', arguments: { folder: 'inbox' } };

  it('asks a client that shows URLs, once, and goes on when the person is done', async () => {
    const shown: unknown[] = [];
    const client = await connect(await start(), 'modern', (params) => {
      shown.push(params);
      // The first wait ends without the person, the second one with them.
      issuer.onWait = (count) => (count === 1 ? issuer.timeOut() : issuer.connect());
      return 'accept';
    });
    expect(textOf(await client.callTool(call))).toBe('inbox with drive-token');
    expect(shown).toEqual([
      {
        mode: 'url',
        url: 'https://connect.example/connect?e=e-1',
        message: 'Files needs your Drive account.',
      },
    ]);
    const [first, second] = issuer.asked;
    expect(first?.get('request_state')).toBeNull();
    expect(second?.get('request_state')).toBe('sealed-state');
    expect(new Set(issuer.asked.map((form) => form.get('request_digest'))).size).toBe(1);
    expect(Object.fromEntries(first ?? [])).toMatchObject({
      subject_token: 'token-of-alice',
      resource: 'https://api.drive.example',
      scope: 'files.read',
      request_method: 'tools/call',
      request_name: 'list',
    });
  });

  it('tells the model when the person does not open it', async () => {
    const client = await connect(await start(), 'modern', () => 'decline');
    expect(await client.callTool(call)).toMatchObject({ isError: true });
    expect(issuer.asked).toHaveLength(1);
  });

  it.each(['modern', 'legacy'] as const)(
    'gives a client of the %s era that shows no URLs the link in words',
    async (era) => {
      const client = await connect(await start(), era);
      const result = await client.callTool({ name: 'whoami' });
      expect(result.isError).toBe(true);
      expect(textOf(result)).toContain('https://connect.example/connect?e=e-1');
      issuer.connect();
      expect(textOf(await client.callTool({ name: 'whoami' }))).toBe('drive-token');
    },
  );
});

describe('with the SDK v1', () => {
  const start = (push: boolean) => {
    const sessions = new Map<string, StreamableHTTPServerTransport>();
    return listen(async (request: IncomingMessage & { auth?: typeof auth }, response) => {
      request.auth = auth;
      const known = sessions.get(String(request.headers['mcp-session-id']));
      if (known) return known.handleRequest(request, response);
      const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => void sessions.set(id, transport),
      });
      const mcp = new McpServerV1({ name: 'files', version: '1.0.0' });
      mcp.registerTool(
        'list',
        { inputSchema: { folder: z.string() } },
        toolV1(
          drive,
          mcp,
          'list',
          ({ folder }: { folder: string }, _extra, token) => said(`${folder} with ${token}`),
          {
            push,
          },
        ),
      );
      await mcp.connect(transport);
      await transport.handleRequest(request, response);
    });
  };
  const connect = async (url: URL, onElicit?: (params: unknown) => 'accept' | 'decline') => {
    const client = new ClientV1(
      { name: 'test', version: '1.0.0' },
      { capabilities: onElicit ? { elicitation: { url: {} } } : {} },
    );
    if (onElicit)
      client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({ action: onElicit(params) }));
    await client.connect(new TransportV1(url));
    closing.push(client);
    return client;
  };
  const call = { name: 'list', arguments: { folder: 'inbox' } };
  const elicitation = {
    mode: 'url',
    elicitationId: 'e-1',
    url: 'https://connect.example/connect?e=e-1',
    message: 'Files needs your Drive account.',
  };

  it('answers -32042, says when the person is done, and the retry works', async () => {
    const client = await connect(await start(false), () => 'accept');
    const complete = new Promise((resolve) =>
      client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => resolve(params)),
    );
    await expect(client.callTool(call)).rejects.toMatchObject({
      code: -32042,
      data: { elicitations: [elicitation] },
    });
    issuer.connect();
    expect(await complete).toEqual({ elicitationId: 'e-1' });
    expect(textOf(await client.callTool(call))).toBe('inbox with drive-token');
  });

  it('pushes the request on the stream of the call, and goes on by itself', async () => {
    const shown: unknown[] = [];
    const client = await connect(await start(true), (params) => {
      shown.push(params);
      issuer.onWait = () => issuer.connect();
      return 'accept';
    });
    expect(textOf(await client.callTool(call))).toBe('inbox with drive-token');
    expect(shown).toEqual([elicitation]);
  });

  it('tells the model when the person declines, and gives others the link in words', async () => {
    const url = await start(true);
    expect(await (await connect(url, () => 'decline')).callTool(call)).toMatchObject({ isError: true });
    expect(textOf(await (await connect(url)).callTool(call))).toContain(elicitation.url);
  });
});

describe('a refusal', () => {
  const ask = () =>
    drive.tokenFor({ subjectToken: 'token-of-alice', request: { method: 'tools/call', name: 'list' } });

  it('keeps its code', async () => {
    issuer.refusal = { status: 400, error: 'invalid_target' };
    await expect(ask()).rejects.toEqual(expect.objectContaining({ code: 'invalid_target' }));
  });

  it('is not made up when nobody answers, or somebody else does', async () => {
    const { url } = issuer;
    const other = new ThirdParty({
      issuer: `${url}/other`,
      clientId: 'a',
      clientSecret: 'b',
      resource: 'https://x.example',
    });
    await expect(
      other.tokenFor({ subjectToken: 't', request: { method: 'tools/call', name: 'list' } }),
    ).rejects.toBeInstanceOf(ThirdPartyTokenError);
    await issuer.close();
    await expect(ask()).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    issuer = await FakeIssuer.start();
  });
});

it('gives equal requests one digest, and others another', () => {
  const digest = (args: unknown, name = 'list') =>
    requestDigest({ method: 'tools/call', name, arguments: args });
  expect(digest({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(digest({ b: [{ d: 3, c: 2 }], a: 1 }));
  expect(digest(undefined)).toBe(digest({}));
  const different = [
    { a: 1 },
    { a: '1' },
    { a: [1] },
    { a: { 0: 1 } },
    { a: ['object', ['0', 1]], b: 1 },
    { 2: 1, 10: 1 },
  ];
  expect(new Set(different.map((args) => digest(args))).size).toBe(different.length);
  expect(digest({}, 'list')).not.toBe(digest({}, 'delete'));
});
