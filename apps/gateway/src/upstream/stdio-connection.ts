import {
  type InitializeResult,
  type Json,
  McpError,
  type McpNotification,
  type McpRequest,
  type McpResponse,
  mcpErrorCodes,
  metaKeys,
  metaOf,
  parseMessage,
  serializeMessage,
  withMeta,
} from '@behalf/mcp';
import type { Logger } from '@behalf/service-kit';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { abortedFor } from './aborted-for.js';
import {
  type LegacyCall,
  type LegacyConnection,
  initializeParams,
  initializeResultSchema,
} from './legacy-connection.js';
import { LineSplitter } from './line-splitter.js';
import { tracedMessage } from './traced-message.js';

const maxLineBytes = 32 * 1024 * 1024;
/** What may wait for a program that does not read. */
const maxBacklogBytes = 32 * 1024 * 1024;

interface Pending {
  resolve: (body: McpResponse['body']) => void;
  reject: (error: unknown) => void;
  touch: () => void;
  onNotification: (notification: McpNotification) => void;
  progressToken: unknown;
}

/**
 * MCP over the standard streams of one running program, shared by all callers: each request gets an id and a progress
 * token of its own, and notifications that belong to no request are dropped.
 *
 * @see MCP 2025-11-25, basic/transports, "stdio"
 */
export class StdioConnection implements LegacyConnection {
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #server: InitializeResult | undefined;
  #closed = false;
  /** Told when the program says that its tools have changed. */
  onToolsChanged: () => void = () => {};

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly timeoutMs: number,
    private readonly logger: Logger,
  ) {
    child.once('close', () => this.#close());
    const lines = new LineSplitter(maxLineBytes);
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        for (const line of lines.push(chunk)) this.#receive(line);
      } catch (error) {
        this.logger.error({ err: error }, 'upstream program sent a line that is too long');
        child.kill('SIGKILL');
      }
    });
  }

  /** Does the handshake. */
  static async open(
    child: ChildProcessWithoutNullStreams,
    timeoutMs: number,
    logger: Logger,
  ): Promise<StdioConnection> {
    const connection = new StdioConnection(child, timeoutMs, logger);
    const answer = await connection.request({
      method: 'initialize',
      params: initializeParams,
      onNotification: () => {},
      signal: AbortSignal.timeout(timeoutMs),
    });
    connection.#server = initializeResultSchema.parse('result' in answer ? answer.result : undefined);
    connection.#send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return connection;
  }

  get server(): InitializeResult {
    if (this.#server === undefined) throw new Error('the handshake is not done');
    return this.#server;
  }

  request({ method, params, onNotification, signal }: LegacyCall): Promise<McpResponse['body']> {
    if (this.#closed) return Promise.reject(gone());
    if (this.child.stdin.writableLength > maxBacklogBytes)
      return Promise.reject(unavailable(503, 'The server behind the gateway is busy', 1));
    const id = this.#nextId++;
    const call: McpRequest = { kind: 'request', id, method, params };
    const { progressToken, ...meta } = metaOf(call);
    const rewritten =
      progressToken === undefined ? call : withMeta(call, { ...meta, [metaKeys.progressToken]: id });

    return new Promise((resolve, reject) => {
      const give = (error: McpError, reason: string): void => {
        this.#send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } });
        settle();
        reject(error);
      };
      const silence = setTimeout(
        () => give(unavailable(504, 'The server behind the gateway did not answer in time'), 'timeout'),
        this.timeoutMs,
      );
      const onAbort = (): void =>
        give(abortedFor(signal) ?? unavailable(499, 'The caller went away'), 'the caller went away');
      const settle = (): void => {
        clearTimeout(silence);
        signal.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
      };
      this.#pending.set(id, {
        resolve: (body) => (settle(), resolve(body)),
        reject: (error) => (settle(), reject(error)),
        touch: () => void silence.refresh(),
        onNotification,
        progressToken,
      });
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort);
      this.#send(serializeMessage(tracedMessage(rewritten)));
    });
  }

  /** Fails what is pending: the program has ended. */
  #close(): void {
    this.#closed = true;
    for (const pending of this.#pending.values()) pending.reject(gone());
  }

  #send(message: Json): void {
    if (this.child.stdin.writable) this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #receive(line: string): void {
    if (line.trim() === '') return;
    try {
      const message = parseMessage(JSON.parse(line));
      if (message.kind === 'response') this.#pending.get(message.id as number)?.resolve(message.body);
      else if (message.kind === 'notification') this.#notify(message);
      else this.#refuse(message);
    } catch {
      this.logger.debug('upstream program wrote a line that is not a message');
    }
  }

  #notify(notification: McpNotification): void {
    if (notification.method === 'notifications/tools/list_changed') return this.onToolsChanged();
    if (notification.method !== 'notifications/progress') return;
    const pending = this.#pending.get(notification.params?.['progressToken'] as number);
    if (pending?.progressToken === undefined) return;
    pending.touch();
    const params = { ...notification.params, progressToken: pending.progressToken };
    pending.onNotification({ ...notification, params });
  }

  /** Requests of the server could only go to one caller, and which one is not known. */
  #refuse({ id, method }: McpRequest): void {
    if (method === 'ping') this.#send({ jsonrpc: '2.0', id, result: {} });
    else
      this.#send({
        jsonrpc: '2.0',
        id,
        error: { code: mcpErrorCodes.methodNotFound, message: 'Method not found' },
      });
  }
}

function gone(): McpError {
  return unavailable(503, 'The server behind the gateway ended before it answered', 1);
}

function unavailable(status: number, message: string, retryAfterSeconds?: number): McpError {
  return new McpError(mcpErrorCodes.internalError, message, { status, retryAfterSeconds });
}
