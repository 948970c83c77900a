import {
  McpError,
  type McpMessage,
  type McpRequest,
  type RequestId,
  checkHeaderAgreement,
  checkParamHeaders,
  classifyEra,
  isJsonObject,
  mcpErrorCodes,
  withoutApprovalInput,
} from '@behalf/mcp';
import { OAuthError } from '@behalf/oauth';
import { extendDeadline } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { UpstreamSettings } from '../config.js';
import {
  type Authenticated,
  type TokenChecks,
  authenticate,
  checkScopes,
  checkStillValid,
} from '../enforcement/authenticate.js';
import { ParamHeaderRegistry } from '../enforcement/param-header-registry.js';
import { type QuestionDetails, describeListQuestion } from '../enforcement/describe-question.js';
import { permitRequest } from '../enforcement/permit-request.js';
import type { PolicyDecisions } from '../enforcement/policy-decisions.js';
import type { ToolDefinitions } from '../enforcement/tool-definitions.js';
import type { Exchange, Upstream } from '../upstream/upstream.js';
import { InFlight } from './in-flight.js';
import { inMessageSpan } from './in-message-span.js';
import { knownMethod } from './known-method.js';
import type { LiveRequests } from './live-requests.js';
import { McpAnswer } from './mcp-answer.js';
import { type MessageLimits, readMessage } from './read-message.js';

export interface McpEndpointOptions {
  limits: MessageLimits & { maxInFlight: number };
  checks: TokenChecks;
  policy: PolicyDecisions;
  tools: ToolDefinitions;
  /** Claims of people that policies are given. */
  claimNames: readonly string[];
  live: LiveRequests;
  logger: Logger;
}

/**
 * One MCP server's place on the gateway, read from top to bottom: who calls, what is said, whether headers and body
 * agree, whether the token's scopes suffice, whether policy permits it; only then is anything passed on.
 */
export class McpEndpoint {
  readonly #requests: InFlight;
  readonly #streams: InFlight;
  readonly #paramHeaders = new ParamHeaderRegistry();

  constructor(private readonly options: McpEndpointOptions) {
    this.#requests = new InFlight(options.limits.maxInFlight);
    this.#streams = new InFlight(options.limits.maxInFlight);
  }

  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    settings: UpstreamSettings,
    upstream: Upstream,
  ): Promise<void> {
    let id: RequestId | null = null;
    let answer: McpAnswer | undefined;
    let places: (() => void)[] = [];
    const leave = (): void => places.forEach((place) => place());
    try {
      const kind = request.method === 'POST' ? this.#requests : this.#streams;
      places = [kind.enter()];
      const authenticated = await authenticate(request, response, settings, this.options.checks);
      const { sub } = authenticated.claims;
      places.push(kind.enterAs(sub));
      if (request.method === 'GET' || request.method === 'DELETE') {
        answer = new McpAnswer(response, null, true);
        return await this.#serveSession(request, response, settings, upstream, authenticated, answer);
      }
      if (request.method !== 'POST') throw notAllowed(response);
      const message = await readMessage(request, this.options.limits, (known) => (id = known));
      checkStillValid(authenticated, response, settings, this.options.checks.verifier);
      const acceptsStream =
        (request.headers.accept ?? '').includes('text/event-stream') &&
        !(message.kind === 'request' && message.method === 'initialize');
      answer = new McpAnswer(response, id, acceptsStream);
      if (listens(message)) {
        leave();
        places = [this.#streams.enter()];
        places.push(this.#streams.enterAs(sub));
      }
      await this.#serveMessage(request, settings, upstream, authenticated, message, answer);
    } catch (error) {
      this.#fail(error, answer ?? new McpAnswer(response, id, false));
    } finally {
      leave();
    }
  }

  async #serveMessage(
    request: IncomingMessage,
    settings: UpstreamSettings,
    upstream: Upstream,
    { claims, token, proof }: Authenticated,
    message: McpMessage,
    answer: McpAnswer,
  ): Promise<void> {
    const header = (name: string): string | undefined => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(',') : value;
    };
    const classified = classifyEra(message, header('mcp-protocol-version'));
    if (classified.era === 'modern' && message.kind !== 'response') checkHeaderAgreement(message, header);
    const method = message.kind === 'request' ? knownMethod(message, classified) : undefined;
    let redact: readonly string[] = [];
    await inMessageSpan(message, classified, settings.name, claims, async () => {
      checkScopes(claims, message.kind === 'request' ? message : undefined, answer.response, settings);
      if (message.kind === 'request' && method) {
        const details = this.#detailsOf(claims, request);
        if (method.decidedOn === 'tool') await upstream.whenDescribed();
        const permission = await permitRequest(
          { message, method, era: classified.era, settings, details, response: answer.response },
          this.options,
        );
        if ('denial' in permission) return answer.respond(permission.denial);
        redact = permission.redact;
        if (classified.era === 'modern' && message.method === 'tools/call')
          this.#checkParamHeaders(settings.name, message, header);
      }
      // An upstream may take as long as it is allowed; nothing that came too late is passed on to it.
      extendDeadline(Infinity);
      await this.#whileWanted(answer.response, claims, listens(message), (signal) =>
        upstream.handle(
          {
            server: settings.name,
            message: message.kind === 'request' ? withoutApprovalInput(message) : message,
            redact,
            era: classified.era,
            method,
            caller: claims,
            callerToken: token,
            callerProof: proof,
            headers: request.headers,
            signal,
            filterResult: this.#filterFor(settings.name, this.#detailsOf(claims, request)),
          },
          answer,
        ),
      );
    });
  }

  async #serveSession(
    request: IncomingMessage,
    response: ServerResponse,
    settings: UpstreamSettings,
    upstream: Upstream,
    { claims, token, proof }: Authenticated,
    answer: McpAnswer,
  ): Promise<void> {
    checkScopes(claims, undefined, response, settings);
    extendDeadline(Infinity);
    await this.#whileWanted(response, claims, true, (signal) =>
      upstream.handleSession(
        {
          server: settings.name,
          redact: [],
          httpMethod: request.method as 'GET' | 'DELETE',
          caller: claims,
          callerToken: token,
          callerProof: proof,
          headers: request.headers,
          signal,
          filterResult: this.#filterFor(settings.name, this.#detailsOf(claims, request)),
        },
        answer,
      ),
    );
  }

  #checkParamHeaders(
    server: string,
    message: McpRequest,
    header: (name: string) => string | undefined,
  ): void {
    const { name, arguments: args } = message.params ?? {};
    if (typeof name !== 'string') return;
    checkParamHeaders(
      this.#paramHeaders.declaredBy(server, name),
      isJsonObject(args) ? args : undefined,
      header,
    );
  }

  #filterFor(server: string, details: QuestionDetails): Exchange['filterResult'] {
    return async (result) => {
      this.#paramHeaders.learn(server, result);
      this.options.tools.learn(server, result);
      return this.options.policy.filterResult(details.claims, server, result, (question) =>
        describeListQuestion(question, server, details),
      );
    };
  }

  #detailsOf(claims: Authenticated['claims'], request: IncomingMessage): QuestionDetails {
    const { claimNames, tools } = this.options;
    return { claims, claimNames, tools, remoteAddress: request.socket.remoteAddress };
  }

  /** Runs with a signal that fires when the client goes, and when its token no longer carries the request. */
  async #whileWanted(
    response: ServerResponse,
    claims: Authenticated['claims'],
    isStream: boolean,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    if (response.destroyed) gone.abort();
    const live = this.options.live.enter(claims, isStream);
    try {
      await work(AbortSignal.any([gone.signal, live.signal]));
    } finally {
      live.leave();
    }
  }

  #fail(error: unknown, answer: McpAnswer): void {
    const known = error instanceof McpError ? error : unforeseen(error);
    if (known.status >= 500) this.options.logger.error({ err: known.cause ?? known }, known.message);
    else this.options.logger.debug({ code: known.code, reason: known.message }, 'request refused');
    if (known.status === 405) answer.response.setHeader('Allow', 'POST');
    answer.fail(known);
  }
}

/** What has no words of MCP: that something cannot be reached or took too long is told, anything else is not. */
function unforeseen(cause: unknown): McpError {
  if (cause instanceof OAuthError && cause.code === 'temporarily_unavailable') {
    const { status, retryAfterSeconds } = cause;
    return new McpError(mcpErrorCodes.internalError, 'This cannot be served now', {
      status,
      cause,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
  }
  return new McpError(mcpErrorCodes.internalError, 'Something failed here', { status: 500, cause });
}

function listens(message: McpMessage): boolean {
  return message.kind === 'request' && message.method === 'subscriptions/listen';
}

function notAllowed(response: ServerResponse): McpError {
  response.setHeader('Allow', 'POST, GET, DELETE, OPTIONS');
  return new McpError(mcpErrorCodes.invalidRequest, 'Method not allowed', { status: 405 });
}
