import { McpError, behalfErrorCodes, isJsonObject, mcpErrorCodes } from '@behalf/mcp';
import type { Logger } from '@behalf/service-kit';
import type { ToolDefinitions } from '../enforcement/tool-definitions.js';
import type { McpAnswer } from '../http/mcp-answer.js';
import { Bridge } from './bridge.js';
import { StdioConnection } from './stdio-connection.js';
import { type Command, SupervisedProcess } from './supervised-process.js';
import type { Exchange, SessionExchange, Upstream } from './upstream.js';

/** How long a call waits for a program that is just being started. */
const startWaitMs = 10_000;
/** A server whose list never ends must not keep everybody waiting. */
const maxPages = 100;
/** Calls wait for the first list, so it is less than they do. */
const listTimeoutMs = 5_000;

/** A server that is a program on this machine, spoken to over its standard streams. */
export class StdioUpstream implements Upstream {
  readonly #bridge = new Bridge();
  readonly #process: SupervisedProcess;
  #ready = Promise.withResolvers<StdioConnection>();
  #connection: StdioConnection | undefined;
  #tried = false;
  readonly #firstTry = Promise.withResolvers<void>();
  /** Changes of tools that were told while the list was being fetched; 0 when it is not. */
  #changes = 0;

  constructor(
    private readonly name: string,
    command: Command,
    private readonly timeoutMs: number,
    private readonly tools: ToolDefinitions,
    private readonly logger: Logger,
  ) {
    this.#process = new SupervisedProcess(command, logger, {
      onStart: (child) => void this.#open(child),
      onExit: () => this.#lost(),
    });
  }

  start(): void {
    this.#process.start();
  }

  async handle(exchange: Exchange, answer: McpAnswer): Promise<void> {
    await this.#bridge.handle(exchange, await this.#current(), answer);
  }

  handleSession(_exchange: SessionExchange, _answer: McpAnswer): Promise<void> {
    return Promise.reject(
      new McpError(behalfErrorCodes.denied, 'Method not allowed: there are no sessions here', {
        status: 405,
      }),
    );
  }

  async whenDescribed(): Promise<void> {
    if (this.#tried) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, startWaitMs);
    });
    await Promise.race([this.#firstTry.promise, late]).finally(() => clearTimeout(timer));
  }

  waitingFor(): string[] {
    return this.#tried ? [] : [`upstream ${this.name}`];
  }

  async close(): Promise<void> {
    await this.#process.close();
  }

  async #open(child: Parameters<typeof StdioConnection.open>[0]): Promise<void> {
    try {
      const connection = await StdioConnection.open(child, this.timeoutMs, this.logger);
      connection.onToolsChanged = () => this.#toolsChanged(connection);
      await this.#learnTools(connection);
      this.#process.markServing();
      this.#connection = connection;
      this.#ready.resolve(connection);
      this.logger.info('upstream program is ready');
    } catch (error) {
      this.logger.error({ err: error }, 'upstream program did not answer the handshake');
      child.kill('SIGKILL');
    } finally {
      this.#settle();
    }
  }

  /** What was known no longer holds; while the list is being fetched, calls are decided without it. */
  #toolsChanged(connection: StdioConnection): void {
    this.tools.forget(this.name);
    this.#changes += 1;
    if (this.#changes === 1) void this.#learnUntilSettled(connection);
  }

  /** However often a program says so, one list is fetched at a time. */
  async #learnUntilSettled(connection: StdioConnection): Promise<void> {
    let seen: number;
    do {
      seen = this.#changes;
      await this.#learnTools(connection);
    } while (seen !== this.#changes);
    this.#changes = 0;
  }

  /** Calls are decided by what their tools are, also those of a client that lists none. */
  async #learnTools(connection: StdioConnection): Promise<void> {
    if (!isJsonObject(connection.server.capabilities['tools'])) return;
    try {
      let cursor: unknown;
      for (let page = 0; page < maxPages; page++) {
        const answer = await connection.request({
          method: 'tools/list',
          params: cursor === undefined ? {} : { cursor },
          onNotification: () => {},
          signal: AbortSignal.timeout(Math.min(this.timeoutMs, listTimeoutMs)),
        });
        if ('error' in answer) throw new Error(`error ${answer.error.code}`);
        this.tools.learn(this.name, answer.result);
        cursor = answer.result['nextCursor'];
        if (typeof cursor !== 'string') return;
      }
    } catch (err) {
      this.logger.warn({ err }, 'the tools of the upstream program could not be listed');
    }
  }

  #settle(): void {
    this.#tried = true;
    this.#firstTry.resolve();
  }

  #lost(): void {
    this.#settle();
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#ready = Promise.withResolvers();
  }

  async #current(): Promise<StdioConnection> {
    if (this.#connection) return this.#connection;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new McpError(mcpErrorCodes.internalError, 'The server behind the gateway is not running', {
              status: 503,
              retryAfterSeconds: 5,
            }),
          ),
        startWaitMs,
      );
    });
    try {
      return await Promise.race([this.#ready.promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
