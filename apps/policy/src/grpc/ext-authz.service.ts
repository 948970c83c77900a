import type { Caller, HeaderReader } from '@behalf/mcp';
import { OAuthError } from '@behalf/oauth';
import {
  type ProtobufStruct,
  UnmappableRequest,
  backendAt,
  callerOf,
  fromStruct,
  serverNamed,
  toStruct,
} from '@behalf/policy-dialects';
import type { PolicyServiceConfig, ServedBackend } from '../config.js';
import type { CallerAuthentication } from '../http/caller-authentication.js';
import type { ProxiedCalls, ProxyAnswer } from '../proxied-calls.js';

interface HttpRequest {
  method?: string;
  headers?: Record<string, string>;
  header_map?: { headers?: { key?: string; value?: string; raw_value?: Uint8Array }[] };
  path?: string;
  host?: string;
  body?: string;
  raw_body?: Uint8Array;
}
export interface CheckRequest {
  attributes?: {
    request?: { http?: HttpRequest };
    context_extensions?: Record<string, string>;
    metadata_context?: { filter_metadata?: Record<string, ProtobufStruct> };
  };
}
type KnownBackend = Pick<ServedBackend, 'name' | 'resource' | 'enforcesHeaderMatch'>;

/** `google.rpc.Code`. */
const rpc = { OK: 0, PERMISSION_DENIED: 7, RESOURCE_EXHAUSTED: 8, UNAUTHENTICATED: 16 } as const;

/**
 * Envoy's `ext_authz` over gRPC, also spoken by agentgateway. The answer to a caller that may ask is always a
 * `CheckResponse`: an error would be for `failure_mode_allow` to decide on, a denial is not.
 *
 * The server is `context_extensions.server` of the route, or else found by host and path. The person is what Envoy's
 * JWT filter has verified, or else the bearer token of the request.
 */
export class ExtAuthzService {
  constructor(
    private readonly calls: ProxiedCalls,
    private readonly callers: CallerAuthentication,
    private readonly config: PolicyServiceConfig,
  ) {}

  async check(request: CheckRequest, caller: string | undefined): Promise<object> {
    let answer: ProxyAnswer;
    try {
      answer = await this.#ask(request, caller);
    } catch (error) {
      answer = this.calls.refuse(error, null);
    }
    return checkResponse(answer);
  }

  #ask({ attributes = {} }: CheckRequest, caller: string | undefined): Promise<ProxyAnswer> {
    const http = attributes.request?.http ?? {};
    const header = headerReader(http);
    const backend = this.#backend(attributes.context_extensions ?? {}, http);
    const filters = attributes.metadata_context?.filter_metadata ?? {};
    return this.calls.check({
      request: { method: http.method ?? '', header, body: bodyOf(http), metadata: this.#metadata(filters) },
      backend,
      caller,
      identify: () => this.#identify(filters, header, http.path ?? '', backend),
    });
  }

  #backend(extensions: Record<string, string>, http: HttpRequest): KnownBackend {
    const { backends } = this.config;
    const named = Object.hasOwn(extensions, 'server') ? extensions['server'] : undefined;
    if (named === undefined || named === '') {
      const found = backendAt(backends, http.host ?? '', http.path ?? '');
      if (found === undefined) throw new UnmappableRequest('refused', 'the server is not known');
      return found;
    }
    const name = serverNamed(backends, named);
    if (!/^[^/:]+$/.test(name)) throw new UnmappableRequest('malformed', 'that is not the name of a server');
    const known = backends.find((backend) => backend.name === name);
    return known ?? { name, resource: undefined, enforcesHeaderMatch: false };
  }

  #metadata(filters: Record<string, ProtobufStruct>) {
    const namespace = this.config.dialects.mcpMetadataNamespaces.find((one) => Object.hasOwn(filters, one));
    return namespace === undefined ? undefined : fromStruct(filters[namespace]);
  }

  async #identify(
    filters: Record<string, ProtobufStruct>,
    header: HeaderReader,
    path: string,
    { resource }: KnownBackend,
  ): Promise<Caller> {
    const { namespace, key } = this.config.dialects.jwtMetadata;
    const payload = Object.hasOwn(filters, namespace) ? fromStruct(filters[namespace])[key] : undefined;
    if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) {
      const claims = payload as Record<string, unknown>;
      const audiences = [claims['aud']].flat();
      if (resource !== undefined && !audiences.includes(resource))
        throw new OAuthError('invalid_token', 'the access token is for another server');
      // Envoy looks at the signature and not at `cnf`. The attack: a stolen token, used without its key.
      if (claims['cnf'] !== undefined)
        throw new OAuthError('invalid_token', 'sender-constrained tokens are not accepted here');
      return callerOf(claims);
    }
    if (resource === undefined) throw new UnmappableRequest('no_identity', 'the request names no person');
    const query = new URLSearchParams(path.split('?').slice(1).join('?'));
    return this.callers.authenticatePerson(header('authorization'), query, resource);
  }
}

/** Envoy sends either form; keys are in lower case in the first, and may come twice in the second. */
function headerReader({ headers = {}, header_map }: HttpRequest): HeaderReader {
  const raw = header_map?.headers ?? [];
  return (name) => {
    const values = raw
      .filter((one) => one.key?.toLowerCase() === name)
      .map((one) =>
        one.raw_value?.length ? Buffer.from(one.raw_value).toString('utf8') : (one.value ?? ''),
      );
    if (Object.hasOwn(headers, name)) values.push(headers[name] ?? '');
    if (values.length > 1) throw new UnmappableRequest('refused', `the header ${name} is repeated`);
    return values[0];
  };
}

function bodyOf({ raw_body, body }: HttpRequest): Uint8Array | undefined {
  if (raw_body !== undefined && raw_body.length > 0) return raw_body;
  return body === undefined || body === '' ? undefined : Buffer.from(body, 'utf8');
}

function checkResponse(answer: ProxyAnswer): object {
  const { decisionId } = answer;
  const noted = decisionId === undefined ? {} : { dynamic_metadata: toStruct({ decision_id: decisionId }) };
  if (answer.allowed) return { status: { code: rpc.OK }, ok_response: {}, ...noted };
  const { status, body, error } = answer;
  const code = { 401: rpc.UNAUTHENTICATED, 403: rpc.PERMISSION_DENIED, 503: rpc.RESOURCE_EXHAUSTED }[status];
  const header = (key: string, value: string) => ({ header: { key, value } });
  return {
    status: { code },
    denied_response: {
      status: { code: status },
      headers: [
        header('content-type', 'application/json'),
        ...(status === 503 ? [header('retry-after', String(error?.retryAfterSeconds ?? 1))] : []),
      ],
      body,
    },
    ...noted,
  };
}
