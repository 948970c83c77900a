import { OAuthError, protectedResourceMetadataUrl } from '@behalf/oauth';
import { type Backend, UnmappableRequest, backendAt } from '@behalf/policy-dialects';
import { bearerChallenge } from '@behalf/resource-server';
import { readBody } from '@behalf/service-kit';
import { All, Controller, Inject, NotFoundException, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { type PolicyServiceConfig, evaluationLimits } from '../config.js';
import { ProxiedCalls, type ProxyAnswer } from '../proxied-calls.js';
import { POLICY_CONFIG } from '../tokens.js';
import { CallerAuthentication } from './caller-authentication.js';
import { proxiedRequestLine } from './proxied-request-line.js';
import { singleHeader } from './single-header.js';

type RequestLine = ReturnType<typeof proxiedRequestLine>;

/**
 * For proxies that ask by repeating the request: nginx `auth_request`, Caddy `forward_auth`, Traefik `ForwardAuth` and
 * Envoy's HTTP `ext_authz`. The request authenticates itself: the access token in it has to be a person's for the
 * backend, so whoever calls can learn only what that token may do, and the proxy needs no credential of its own.
 */
@Controller('access/v1')
export class ForwardAuthController {
  constructor(
    @Inject(ProxiedCalls) private readonly calls: ProxiedCalls,
    @Inject(CallerAuthentication) private readonly callers: CallerAuthentication,
    @Inject(POLICY_CONFIG) private readonly config: PolicyServiceConfig,
  ) {}

  /** The proxy's configuration names the backend in the path of the question. */
  @All('forward-auth/:backend')
  async forwardAuth(@Req() request: Request, @Res() response: Response, @Param('backend') name: string) {
    const backend = this.config.backends.find((one) => one.name === name);
    await this.#reply(request, response, backend, () => proxiedRequestLine(request));
  }

  /** Reached by rewriting only: the path of the question is the path of the request, below the configured prefix. */
  @All('ext-authz')
  async extAuthz(@Req() request: Request, @Res() response: Response) {
    const uri: unknown = response.locals['proxiedUrl'];
    if (typeof uri !== 'string') throw new NotFoundException();
    const backend = backendAt(this.config.backends, request.headers.host ?? '', uri);
    await this.#reply(request, response, backend, () => ({ method: request.method, uris: [uri] }));
  }

  async #reply(
    request: Request,
    response: Response,
    backend: Backend | undefined,
    readLine: () => RequestLine,
  ): Promise<void> {
    const answer = await this.#check(request, backend, readLine).catch((error: unknown) =>
      this.calls.refuse(error, null),
    );
    response.set('Cache-Control', 'no-store');
    if (answer.decisionId !== undefined) response.set('X-Behalf-Decision', answer.decisionId);
    if (answer.allowed) return void response.status(200).end();
    if (answer.status === 401) response.set('WWW-Authenticate', this.#challenge(request, backend, answer));
    if (answer.status === 503) response.set('Retry-After', String(answer.error?.retryAfterSeconds ?? 1));
    response.status(answer.status).type('application/json').send(answer.body);
  }

  async #check(
    request: Request,
    backend: Backend | undefined,
    readLine: () => RequestLine,
  ): Promise<ProxyAnswer> {
    if (backend === undefined) throw new UnmappableRequest('refused', 'the server is not known');
    const { resource } = backend;
    if (resource === undefined) throw new UnmappableRequest('refused', 'the server has no resource');
    const { method, uris } = readLine();
    const header = (name: string): string | undefined => singleHeader(request, name);
    const authorization = header('authorization');
    // A GET repeats the headers of a POST, and has no body of its own to show.
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    const body = hasBody ? await readBody(request, evaluationLimits.maxBytes) : undefined;
    return this.calls.check({
      request: { method, header, body },
      backend,
      caller: undefined,
      identify: () => this.callers.authenticatePerson(authorization, queryOf(uris), resource),
    });
  }

  #challenge(
    request: Request,
    backend: Backend | undefined,
    answer: Extract<ProxyAnswer, { allowed: false }>,
  ): string {
    const shown = request.headers.authorization === undefined ? undefined : answer.error;
    return bearerChallenge({
      resourceMetadata: protectedResourceMetadataUrl(backend?.resource ?? this.config.publicUrl),
      scope: undefined,
      error: shown instanceof OAuthError ? shown : undefined,
    });
  }
}

function queryOf(uris: string[]): URLSearchParams {
  const queries = uris.map((uri) => uri.split('?').slice(1).join('?'));
  return new URLSearchParams(queries.join('&'));
}
