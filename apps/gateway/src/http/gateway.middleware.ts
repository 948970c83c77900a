import { McpError, errorResponse } from '@behalf/mcp';
import { nameRoute } from '@behalf/service-kit';
import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../config.js';
import { UPSTREAMS, type Upstreams } from '../upstream/upstreams.js';
import { checkOrigin } from './check-origin.js';
import { allowOrigin, answerPreflight } from './cors.js';
import { McpEndpoint } from './mcp-endpoint.js';
import { MetadataDocuments } from './metadata-documents.js';

/** Finds out what a request is for: an upstream, a well-known document, or nothing of the gateway's. */
@Injectable()
export class GatewayMiddleware implements NestMiddleware {
  constructor(
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
    @Inject(UPSTREAMS) private readonly upstreams: Upstreams,
    @Inject(McpEndpoint) private readonly endpoint: McpEndpoint,
    @Inject(MetadataDocuments) private readonly documents: MetadataDocuments,
  ) {}

  async use(request: Request, response: Response, next: NextFunction): Promise<void> {
    const pathname = request.originalUrl.split('?', 1)[0] ?? '/';
    const name = this.#upstreamName(pathname);
    if (name !== undefined) return this.#serveUpstream(request, response, next, name);
    if (pathname.startsWith('/.well-known/')) return this.#serveDocument(request, response, next, pathname);
    next();
  }

  #upstreamName(pathname: string): string | undefined {
    const prefix = `${this.settings.gateway.path}/`;
    return pathname.startsWith(prefix) ? pathname.slice(prefix.length) : undefined;
  }

  async #serveUpstream(
    request: Request,
    response: Response,
    next: NextFunction,
    name: string,
  ): Promise<void> {
    const settings = this.settings.upstreams.get(name);
    const upstream = this.upstreams.get(name);
    if (settings === undefined || upstream === undefined) return next();
    const { gateway } = this.settings;
    nameRoute(request, `${gateway.path}/${name}`);
    try {
      const origin = checkOrigin(request, {
        publicUrl: gateway.publicUrl,
        listenHost: gateway.listen.host,
        allowedOrigins: gateway.allowedOrigins,
      });
      if (origin !== undefined) allowOrigin(response, origin);
    } catch (error) {
      if (!(error instanceof McpError)) throw error;
      response.status(error.status).json(errorResponse(error, null));
      return;
    }
    if (request.method === 'OPTIONS') return answerPreflight(request, response, 'POST, GET, DELETE, OPTIONS');
    await this.endpoint.serve(request, response, settings, upstream);
  }

  /** Public documents: pages of any origin may read them, and no token is needed. */
  async #serveDocument(
    request: Request,
    response: Response,
    next: NextFunction,
    pathname: string,
  ): Promise<void> {
    if (request.method === 'OPTIONS') {
      allowOrigin(response, '*');
      return answerPreflight(request, response, 'GET, OPTIONS');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    allowOrigin(response, '*');
    const document = await this.documents.find(pathname);
    if (document === undefined) return next();
    nameRoute(request, pathname);
    response.set('Cache-Control', 'public, max-age=60').json(document);
  }
}
