import type { UpstreamConfig } from '@behalf/config';
import { McpError, mcpErrorCodes } from '@behalf/mcp';
import type { ThirdParty } from '@behalf/sdk';
import type { Clock } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import { LentTokens } from '../elicitation/lent-tokens.js';
import type { PushedRequests } from '../elicitation/pushed-requests.js';
import type { SessionBinding } from '../enforcement/session-binding.js';
import type { McpAnswer } from '../http/mcp-answer.js';
import { Bridge } from './bridge.js';
import { EraProbe } from './era-probe.js';
import { LegacyHttpSessions } from './legacy-http-sessions.js';
import { reachable } from './reachable.js';
import { relayResponse } from './relay-response.js';
import { SupervisedProcess } from './supervised-process.js';
import { inUpstreamSpan } from './traced-message.js';
import type { ExchangedToken, TokenExchanger } from './token-exchanger.js';
import { UpstreamHttp } from './upstream-http.js';
import type { Exchange, SessionExchange, Upstream } from './upstream.js';

export interface HttpUpstreamOptions {
  name: string;
  config: Extract<UpstreamConfig, { transport: 'http' }>;
  exchanger: TokenExchanger;
  sessions: SessionBinding;
  /** With `config.thirdParty`. */
  thirdParty: ThirdParty | undefined;
  pushed: PushedRequests;
  clock: Clock;
  logger: Logger;
}

/**
 * A server reached by streamable HTTP. A client of the era it speaks is passed through; a modern client of a server
 * that has only the legacy era is bridged. The caller's token stays here: the server gets one of its own, or none.
 */
export class HttpUpstream implements Upstream {
  readonly #http: UpstreamHttp;
  readonly #probe: EraProbe;
  readonly #bridge = new Bridge();
  readonly #legacySessions: LegacyHttpSessions;
  readonly #process: SupervisedProcess | undefined;
  readonly #lent: LentTokens | undefined;
  #tried: boolean;

  constructor(private readonly options: HttpUpstreamOptions) {
    const { config, logger, clock } = options;
    this.#http = new UpstreamHttp(config.url, config.timeoutMs);
    this.#probe = new EraProbe(this.#http, clock);
    this.#legacySessions = new LegacyHttpSessions(this.#http);
    this.#lent = lentTokens(options);
    this.#tried = config.process === undefined;
    if (config.process)
      this.#process = new SupervisedProcess(config.process, logger, {
        onStart: (child) => {
          child.stdout.resume();
          void reachable(config.url, 10_000).then(() => (this.#tried = true));
        },
        onExit: () => (this.#tried = true),
      });
  }

  start(): void {
    this.#process?.start();
  }

  /** Its tools are its callers' to list, with their tokens. */
  async whenDescribed(): Promise<void> {}

  waitingFor(): string[] {
    return this.#tried ? [] : [`upstream ${this.options.name}`];
  }

  async handle(received: Exchange, answer: McpAnswer): Promise<void> {
    const exchange = this.#lent ? await this.#lent.lend(received, answer) : received;
    if (exchange === undefined) return;
    const token = await this.#token(exchange);
    const { message, signal } = exchange;
    if (exchange.era === 'modern' && (await this.#probe.era(token, signal)) === 'legacy') {
      const connection = await this.#legacySessions.connect(exchange.caller, token, signal);
      return this.#bridge.handle(exchange, connection, answer);
    }
    await inUpstreamSpan(this.options.name, message, async () => {
      const response = await this.#http.send({
        httpMethod: 'POST',
        message,
        token,
        headers: { ...this.#forwarded(exchange), ...exchange.injected },
        signal,
        // Streams that wait for events are silent for as long as there are none.
        maySleep: message.kind === 'request' && message.method === 'subscriptions/listen',
      });
      await relayResponse(response, exchange, answer, this.options);
    });
  }

  async handleSession(exchange: SessionExchange, answer: McpAnswer): Promise<void> {
    const token = await this.#token(exchange);
    const response = await this.#http.send({
      httpMethod: exchange.httpMethod,
      token,
      headers: this.#forwarded(exchange),
      signal: exchange.signal,
      maySleep: true,
    });
    await relayResponse(response, exchange, answer, this.options);
  }

  async close(): Promise<void> {
    await Promise.all([this.#process?.close(), this.#http.close()]);
  }

  async #token(
    exchange: Pick<Exchange, 'caller' | 'callerToken' | 'callerProof' | 'signal'>,
  ): Promise<ExchangedToken | undefined> {
    const { config, exchanger } = this.options;
    if (config.token.kind === 'none') return undefined;
    return exchanger.exchange(
      {
        subjectToken: exchange.callerToken,
        subjectProof: exchange.callerProof,
        claims: exchange.caller,
        resource: config.token.resource ?? config.url,
        scopes: config.token.scopes,
      },
      exchange.signal,
    );
  }

  /** The headers that MCP itself uses, and no others: cookies and credentials of the caller are not for the server. */
  #forwarded(exchange: Exchange | SessionExchange): Record<string, string> {
    const { headers, caller } = exchange;
    const { sessions, name } = this.options;
    const forwarded: Record<string, string> = {};
    const modern = 'era' in exchange && exchange.era === 'modern';
    // Sessions and resumption do not exist in the modern era, routing headers not in the legacy era: there they have
    // not been held against the body, and whoever stands before the server must not act on them.
    const isForwarded = (header: string): boolean =>
      header === 'accept' ||
      header === 'mcp-protocol-version' ||
      (modern && header.startsWith('mcp-') && header !== 'mcp-session-id');
    for (const [header, value] of Object.entries(headers))
      if (typeof value === 'string' && isForwarded(header)) forwarded[header] = value;
    if (modern) return forwarded;
    for (const [header, kind] of [
      ['mcp-session-id', 'session'],
      ['last-event-id', 'event'],
    ] as const) {
      const wrapped = headers[header];
      if (typeof wrapped !== 'string') continue;
      const id = sessions.unwrap(kind, name, caller, wrapped);
      if (id === undefined)
        throw new McpError(mcpErrorCodes.legacySessionNotFound, 'Session not found', { status: 404 });
      forwarded[header] = id;
    }
    return forwarded;
  }
}

function lentTokens({
  name,
  config,
  thirdParty,
  sessions,
  pushed,
  clock,
}: HttpUpstreamOptions): LentTokens | undefined {
  if (!config.thirdParty || !thirdParty) return undefined;
  const { header, prefix } = config.thirdParty;
  return new LentTokens({
    thirdParty,
    header,
    prefix,
    pushed,
    sessionShowsUrls: ({ caller, headers }) => sessions.showsUrls(name, caller, headers['mcp-session-id']),
    nowMs: () => clock.nowMs(),
  });
}
