import { startTracing } from '@behalf/telemetry';
import { Chromium, freePort } from '@behalf/testing';
import { readBody } from '@behalf/service-kit';
import { jest } from '@jest/globals';
import type { Client } from '@modelcontextprotocol/client';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { join } from 'node:path';
import { captureLogs } from './capture-logs.fixture.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { connectAs, wordsOf } from './token-client.fixture.js';
import { signInOnPages } from './sign-in-on-pages.fixture.js';

const [rightKey, wrongKey] = [`right-${randomUUID()}`, `wrong-${randomUUID()}`];

/** A third party that knows one key, and an MCP server in front of it that has none of its own. */
async function startDesk(port: number): Promise<Server> {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = (status: number, body: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/api/me')
      return request.headers['x-desk-key'] === rightKey
        ? answer(200, { login: 'alice at the desk' })
        : answer(401, {});
    const { id, method } = JSON.parse((await readBody(request, 100_000)).toString()) as Record<
      string,
      unknown
    >;
    const tickets = request.headers['x-desk-key'] === rightKey ? 'three tickets' : 'no key came along';
    const result =
      method === 'tools/call'
        ? { content: [{ type: 'text', text: tickets }] }
        : { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ttlMs: 0, cacheScope: 'private' };
    answer(200, { jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } });
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  return server;
}

describe('a key that a person enters, in a real browser', () => {
  const spans = new InMemorySpanExporter();
  let logged: string[];
  let desk: Server;
  let system: DemoSystem;
  let browser: Chromium;
  let client: Client;
  let link: string;

  beforeAll(async () => {
    logged = captureLogs();
    startTracing({ serviceName: 'test', spanProcessor: new SimpleSpanProcessor({ exporter: spans }) });
    const port = await freePort();
    const api = `http://127.0.0.1:${port}/api`;
    desk = await startDesk(port);
    system = await startDemoSystem({
      adjust: (file) => {
        file['logLevel'] = 'debug';
        // Under the name that the demo's policies permit.
        file['gateway'].upstreams.drive = {
          transport: 'http',
          url: `http://127.0.0.1:${port}/mcp`,
          token: { kind: 'none' },
          thirdParty: { resource: api, header: 'x-desk-key', prefix: '' },
        };
        const gateway = file['authorizationServer'].clients.find(
          (one: { clientId: string }) => one.clientId === 'demo-gateway',
        );
        gateway.exchange.audiences.push(api);
        gateway.exchange.scopes.push('tickets');
        file['elicitation'].providers = [
          {
            id: 'desk',
            kind: 'static',
            name: 'Help Desk',
            resources: [api],
            scopes: { tickets: 'See your tickets' },
            credential: { label: 'API key', header: 'x-desk-key', prefix: '' },
            probe: { url: `${api}/me`, account: 'login' },
          },
        ];
      },
    });
    browser = await Chromium.start();
    client = await connectAs(system, 'alice', 'drive');
  }, startTimeoutMs);
  afterAll(async () => {
    await client?.close();
    await browser?.close();
    await system?.close();
    desk?.closeAllConnections();
    desk?.close();
    jest.restoreAllMocks();
  });

  const listTickets = (): Promise<string> => wordsOf(client, 'list_tickets');
  const enter = async (key: string): Promise<string> => {
    await browser.type('#credential', key);
    await browser.click('button[value=allow]');
    return browser.text();
  };

  it('is asked for by a link of the tool call, on a page of ours', async () => {
    link = /http:\S+\/connect\?e=[0-9a-f-]+/.exec(await listTickets())?.[0] ?? '';
    await browser.open(link);
    await signInOnPages(browser, 'alice');
    expect(await browser.url()).toBe(link);
    const text = await browser.text();
    for (const said of ['Help Desk', 'See your tickets', 'API key']) expect(text).toContain(said);
  });

  it('is refused at once when the third party does not know it, and the tool has nothing', async () => {
    expect(await enter(wrongKey)).toContain('Help Desk does not accept this.');
    expect(await browser.evaluate("document.querySelector('[role=alert]') !== null")).toBe(true);
    // Nothing of it is in the page that came back.
    expect(await browser.evaluate('document.documentElement.outerHTML')).not.toContain(wrongKey);
    expect(await listTickets()).toContain('/connect?e=');
  });

  it('is kept when it is good, and the repeated call works', async () => {
    expect(await enter(rightKey)).toContain('Go back to your application');
    expect(await listTickets()).toBe('three tickets');
  });

  it('is in no log, no span, and nowhere in what is stored', async () => {
    const { dataFolder } = system.config;
    const files = await readdir(dataFolder, { recursive: true, withFileTypes: true });
    const stored = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
    );
    const told = {
      logs: logged.join(''),
      // Not as JSON: spans know their parents, who know them.
      spans: spans
        .getFinishedSpans()
        .map(({ name, attributes, events, status }) => JSON.stringify([name, attributes, events, status])),
      stored: stored.filter((text) => text.includes('Help Desk') || text.includes('desk')),
    };
    // Each place is there to be looked at.
    expect(Object.values(told).map(({ length }) => length > 0)).toEqual([true, true, true]);
    for (const key of [rightKey, wrongKey]) {
      expect(told.logs.includes(key)).toBe(false);
      expect(told.spans.filter((span) => span.includes(key))).toEqual([]);
      expect(stored.filter((text) => text.includes(key))).toHaveLength(0);
    }
  });
});
