import { OAuthError } from '@behalf/oauth';
import {
  Controller,
  Get,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
  Post,
  Req,
} from '@nestjs/common';
import type { Request } from 'express';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  CLOCK,
  type Infrastructure,
  READINESS,
  type RunningService,
  bootstrapService,
  readFormBody,
  readJsonBody,
} from './index.js';

const limits = { maxBytes: 100, maxDepth: 5 };
let waitingFor: string[] = [];
const isThere = { postgres: true, redis: true };
/** Modules that have begun and not ended. */
let begun = 0;
const slow = { entered: Promise.withResolvers<void>(), answer: Promise.withResolvers<{ done: true }>() };

@Controller()
class ProbeController {
  constructor(@Inject(CLOCK) private readonly clock: Infrastructure['clock']) {}

  @Get('time')
  time(): { now: number } {
    return { now: this.clock.nowMs() };
  }

  @Get('slow')
  slow(): Promise<{ done: true }> {
    slow.entered.resolve();
    return slow.answer.promise;
  }

  @Get('known')
  known(): never {
    throw new OAuthError('temporarily_unavailable', 'wait a little', {
      retryAfterSeconds: 7,
      cause: new Error('secret cause'),
    });
  }

  @Get('unknown')
  unknown(): never {
    throw new Error('secret message');
  }

  @Post('echo')
  async echo(@Req() request: Request): Promise<unknown> {
    return { got: await readJsonBody(request, limits) };
  }
}

@Module({
  controllers: [ProbeController],
  providers: [{ provide: READINESS, useValue: { waitingFor: () => waitingFor } }],
})
class ProbeModule implements OnModuleInit, OnApplicationShutdown {
  onModuleInit(): void {
    begun += 1;
  }

  onApplicationShutdown(): void {
    begun -= 1;
  }
}

const infrastructureWith = (announced: () => Promise<void>): Infrastructure =>
  ({
    config: { logLevel: 'silent', requestTimeoutSeconds: 60, health: { live: '/live', ready: '/readyz' } },
    clock: { nowMs: () => 42 },
    bus: { announced },
    servers: { postgres: async () => isThere.postgres, redis: async () => isThere.redis },
  }) as unknown as Infrastructure;
const start = (port = 0, announced = async (): Promise<void> => {}): Promise<RunningService> =>
  bootstrapService({
    name: 'probe',
    module: ProbeModule,
    listen: { host: '127.0.0.1', port },
    standsOn: { needs: ['postgres'], uses: ['redis'] },
    infrastructure: infrastructureWith(announced),
    plainRoutes: () => ({
      '/ahead': (request, response) => {
        readJsonBody(request, limits).then(
          (got) => response.end(JSON.stringify({ got, by: 'route' })),
          (error: OAuthError) => response.writeHead(error.status).end(),
        );
      },
    }),
  });

describe('bootstrapService', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await start();
  });
  afterAll(() => service.close());

  it('ends what it began when its port is taken', async () => {
    const before = begun;
    await expect(start(Number(new URL(service.url).port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(begun).toBe(before);
  });

  it('does not start before others on the bus can reach it', async () => {
    const before = begun;
    const notReached = async (): Promise<void> => {
      expect(begun).toBe(before + 1);
      throw new Error('nobody was told');
    };
    await expect(start(0, notReached)).rejects.toThrow('nobody was told');
    expect(begun).toBe(before);
  });

  const post = (body: string, type = 'application/json'): Promise<Response> =>
    fetch(`${service.url}/echo`, { method: 'POST', body, headers: { 'content-type': type } });

  it('gives modules the ports', async () => {
    expect(await (await fetch(`${service.url}/time`)).json()).toEqual({ now: 42 });
  });

  it('answers a POST to a plain route ahead of the router, and nothing else', async () => {
    const ask = (path: string, method = 'POST') =>
      fetch(service.url + path, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '[1]' }),
      });
    expect(await (await ask('/ahead?x=1')).json()).toEqual({ got: [1], by: 'route' });
    expect(await (await ask('/echo')).json()).toEqual({ got: [1] });
    for (const [path, method] of [
      ['/ahead', 'GET'],
      ['/ahead/'],
      ['/AHEAD'],
      ['/constructor'],
      ['//ahead'],
    ] as const)
      expect((await ask(path, method)).status).toBe(404);
  });

  it('answers a body that is larger than it may be, announced or not, and waits for no end of it', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const answer = text(socket);
    socket.write(
      'POST /ahead HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    socket.write(`c8\r\n${'1'.repeat(200)}\r\n`);
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('lets that answer arrive at who says that it is the last one, and is still sending', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const head = ['POST /ahead HTTP/1.1', 'host: x', 'connection: close', 'content-type: application/json'];
    socket.write([...head, 'content-length: 400', '', ''].join('\r\n'));
    await once(socket, 'readable');
    for (let sent = 0; sent < 4; sent++)
      await new Promise((written, failed) => {
        socket.write('1'.repeat(100), (error) => (error ? failed(error) : setImmediate(written)));
      });
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('is alive at once and ready when its module says so', async () => {
    waitingFor = ['revocations'];
    expect((await fetch(`${service.url}/live`)).status).toBe(200);
    const waiting = await fetch(`${service.url}/readyz`);
    expect([waiting.status, await waiting.json()]).toEqual([
      503,
      { status: 'waiting', waiting_for: ['revocations'] },
    ]);
    waitingFor = [];
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  });

  it('is ready without what it only uses, and not without what it needs; it lives without either', async () => {
    const ready = async (): Promise<unknown> => {
      expect((await fetch(`${service.url}/live`)).status).toBe(200);
      const answer = await fetch(`${service.url}/readyz`);
      return [answer.status, await answer.json()];
    };
    isThere.redis = false;
    expect(await ready()).toEqual([200, { status: 'ready', away: ['redis'] }]);
    isThere.postgres = false;
    expect(await ready()).toEqual([503, { status: 'waiting', waiting_for: ['postgres'], away: ['redis'] }]);
    isThere.redis = isThere.postgres = true;
    expect(await ready()).toEqual([200, { status: 'ready' }]);
  });

  it('answers an OAuthError with its code, status and Retry-After, and not its cause', async () => {
    const response = await fetch(`${service.url}/known`);
    expect([
      response.status,
      response.headers.get('retry-after'),
      response.headers.get('cache-control'),
    ]).toEqual([503, '7', 'no-store']);
    expect(await response.json()).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'wait a little',
    });
  });

  it('answers any other error without its message or stack', async () => {
    const response = await fetch(`${service.url}/unknown`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/secret|at /);
    expect((await fetch(`${service.url}/nowhere`)).status).toBe(404);
    expect(response.headers.get('x-powered-by')).toBeNull();
  });

  it.each([
    ['a duplicate key', '{"a":1,"a":2}', 400],
    ['a duplicate key by escape', String.raw`{"a":1,"\u0061":2}`, 400],
    ['deep nesting', '[[[[[[1]]]]]]', 400],
    ['a comment', '{/*x*/"a":1}', 400],
    ['an empty body', '', 400],
    ['a large body', JSON.stringify('x'.repeat(200)), 413],
    ['an integer that would change', '{"a":9007199254740993}', 400],
  ])('RFC 7493: refuses %s', async (_title, body, status) => {
    expect((await post(body)).status).toBe(status);
  });

  it('refuses another content type and reads what is right', async () => {
    expect((await post('{}', 'text/plain')).status).toBe(415);
    expect(await (await post('{"a":[1,"ü"]}', 'application/json; charset=utf-8')).json()).toEqual({
      got: { a: [1, 'ü'] },
    });
  });

  it('finishes running requests before it closes, and accepts no new ones', async () => {
    const closing = await start();
    const running = fetch(`${closing.url}/slow`);
    await slow.entered.promise;
    const closed = closing.close();
    slow.answer.resolve({ done: true });
    expect(await (await running).json()).toEqual({ done: true });
    await closed;
    await expect(fetch(`${closing.url}/live`)).rejects.toThrow('fetch failed');
  });

  describe('at SIGTERM', () => {
    let closing: RunningService;
    beforeEach(async () => {
      closing = await start();
      // Which is known of a keep-alive connection: it is left for a second more.
      closing.app.getHttpServer().keepAliveTimeout = 2_000;
    });

    it('RFC 9112: answers what comes on connections that were kept, and says that they end', async () => {
      const keeping = new Agent({ keepAlive: true, maxSockets: 1 });
      const ask = async (path: string): Promise<unknown> => {
        const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
        httpRequest(closing.url + path, { agent: keeping }, resolve)
          .once('error', reject)
          .end();
        const answer = await promise;
        await text(answer);
        return [answer.statusCode, answer.headers.connection];
      };
      slow.entered = Promise.withResolvers();
      slow.answer = Promise.withResolvers();
      expect(await ask('/time')).toEqual([200, 'keep-alive']);
      const running = fetch(`${closing.url}/slow`);
      await slow.entered.promise;
      const closed = closing.close('SIGTERM');
      slow.answer.resolve({ done: true });
      expect((await running).headers.get('connection')).toBe('close');
      expect(await ask('/time')).toEqual([200, 'close']);
      await closed;
      await expect(ask('/time')).rejects.toThrow();
    });

    it('is not held by who has connected and asks nothing', async () => {
      const silent = connect(Number(new URL(closing.url).port), '127.0.0.1');
      await once(silent, 'connect');
      const ended = once(silent, 'close');
      // Nothing that is sent is an answer.
      silent.resume().on('error', () => {});
      await closing.close('SIGTERM');
      await ended;
    });
  });
});

describe('readFormBody', () => {
  const form = (body: string): Promise<Map<string, string>> =>
    readFormBody(
      Object.assign(Readable.from([Buffer.from(body)]), {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }) as never,
    );

  it('refuses a repeated parameter', async () => {
    expect(await form('a=1&b=2')).toEqual(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    );
    await expect(form('a=1&a=2')).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
