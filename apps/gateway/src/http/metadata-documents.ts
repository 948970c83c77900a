import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import { protectedResourceMetadata } from '@behalf/resource-server';
import { request } from 'undici';
import type { GatewaySettings, UpstreamSettings } from '../config.js';

const cacheMs = 60_000;
const fetchTimeoutMs = 3_000;
const maxDocumentBytes = 256 * 1024;
const documents = ['oauth-authorization-server', 'openid-configuration'] as const;
type DocumentName = (typeof documents)[number];

/**
 * The well-known documents on the gateway's origin: metadata of each protected resource (RFC 9728), and a copy of the
 * authorization server's metadata for clients that know no resource metadata (MCP 2025-03-26).
 */
export class MetadataDocuments {
  readonly #copies = new Map<DocumentName, { document: Record<string, unknown>; fetchedAtMs: number }>();

  constructor(
    private readonly settings: GatewaySettings,
    private readonly clock: Clock,
  ) {}

  /** @returns undefined when there is no such document */
  async find(pathname: string): Promise<Record<string, unknown> | undefined> {
    const resource = this.#after(pathname, '/.well-known/oauth-protected-resource');
    if (resource !== undefined) return this.#resourceMetadata(resource);
    for (const name of documents) {
      const rest = this.#after(pathname, `/.well-known/${name}`);
      if (rest !== undefined) return this.#copyFor(name, rest);
    }
    return undefined;
  }

  #after(pathname: string, prefix: string): string | undefined {
    return pathname === prefix || pathname.startsWith(`${prefix}/`)
      ? pathname.slice(prefix.length)
      : undefined;
  }

  #upstreamAt(path: string): UpstreamSettings | undefined {
    const prefix = `${this.settings.gateway.path}/`;
    return path.startsWith(prefix) ? this.settings.upstreams.get(path.slice(prefix.length)) : undefined;
  }

  #resourceMetadata(path: string): Record<string, unknown> | undefined {
    const upstream = this.#upstreamAt(path);
    if (upstream === undefined) return undefined;
    const { resource, name, config } = upstream;
    const { issuer, seesCertificates } = this.settings;
    return {
      ...protectedResourceMetadata({
        resource,
        name: config.name ?? name,
        issuer,
        initialScopes: config.scopes.default,
        boundTokens: { dpopRequired: config.requireDpop, certificates: seesCertificates },
      }),
    };
  }

  async #copyFor(name: DocumentName, path: string): Promise<Record<string, unknown> | undefined> {
    const { legacyDefaultUpstream } = this.settings.gateway;
    const upstream =
      path === ''
        ? legacyDefaultUpstream && this.settings.upstreams.get(legacyDefaultUpstream)
        : this.#upstreamAt(path);
    if (path !== '' && upstream === undefined) return undefined;
    const document = await this.#copy(name);
    return upstream ? withResource(document, upstream.resource) : document;
  }

  async #copy(name: DocumentName): Promise<Record<string, unknown>> {
    const known = this.#copies.get(name);
    if (known && this.clock.nowMs() - known.fetchedAtMs < cacheMs) return known.document;
    const document = await this.#fetch(name);
    this.#copies.set(name, { document, fetchedAtMs: this.clock.nowMs() });
    return document;
  }

  async #fetch(name: DocumentName): Promise<Record<string, unknown>> {
    const issuer = new URL(this.settings.issuer);
    const path = issuer.pathname === '/' ? '' : issuer.pathname;
    const url =
      name === 'openid-configuration'
        ? `${this.settings.issuer}/.well-known/${name}`
        : `${issuer.origin}/.well-known/${name}${path}`;
    try {
      const { statusCode, body } = await request(this.settings.reachIssuer(url), {
        headers: { accept: 'application/json' },
        headersTimeout: fetchTimeoutMs,
        bodyTimeout: fetchTimeoutMs,
      });
      const text = await body.text();
      if (statusCode !== 200 || text.length > maxDocumentBytes) throw new Error(`status ${statusCode}`);
      const document = JSON.parse(text) as Record<string, unknown>;
      if (document['issuer'] !== this.settings.issuer) throw new Error('another issuer');
      return document;
    } catch (cause) {
      throw new OAuthError('temporarily_unavailable', 'the authorization server cannot be reached', {
        cause,
        retryAfterSeconds: 2,
      });
    }
  }
}

/** Clients that cannot name a resource follow the URL they are given, so it names the resource for them. */
function withResource(document: Record<string, unknown>, resource: string): Record<string, unknown> {
  const endpoint = document['authorization_endpoint'];
  if (typeof endpoint !== 'string') return document;
  const url = new URL(endpoint);
  url.searchParams.set('resource', resource);
  return { ...document, authorization_endpoint: url.href };
}
