import { Agent, fetch } from 'undici';

export interface PdpAnswer {
  status: number;
  contentType: string;
  requestId: string | null;
  /** Undefined when the body is not JSON. */
  body: unknown;
}

export interface PdpOptions {
  url: string;
  token?: string | undefined;
  /** PEM of the authority to trust besides those of the system. */
  ca?: string | undefined;
  /** Asks at the default paths whatever the metadata says. */
  defaultPaths?: boolean;
}

export interface Sent {
  headers?: Record<string, string>;
  /** Sent as it is instead of as JSON. */
  raw?: string;
}

/** The endpoints of a decision point; those that its metadata names win over the default paths. */
export class PdpClient {
  readonly #paths = new Map([
    ['evaluation', '/access/v1/evaluation'],
    ['evaluations', '/access/v1/evaluations'],
    ['search/subject', '/access/v1/search/subject'],
    ['search/resource', '/access/v1/search/resource'],
    ['search/action', '/access/v1/search/action'],
  ]);
  readonly #members = {
    evaluation: 'access_evaluation_endpoint',
    evaluations: 'access_evaluations_endpoint',
    'search/subject': 'search_subject_endpoint',
    'search/resource': 'search_resource_endpoint',
    'search/action': 'search_action_endpoint',
  };
  readonly #agent: Agent | undefined;
  readonly #options: PdpOptions;

  constructor(options: PdpOptions) {
    this.#options = options;
    this.#agent = options.ca === undefined ? undefined : new Agent({ connect: { ca: options.ca } });
  }

  get url(): string {
    return this.#options.url;
  }

  /** Of the well-known document; below it stands the path of the base URL, when it has one. */
  async metadata(): Promise<PdpAnswer> {
    const { origin, pathname } = new URL(this.url);
    return this.#send(`${origin}/.well-known/authzen-configuration${pathname === '/' ? '' : pathname}`, {});
  }

  /** The keys of an issuer, where AuthZEN's metadata is signed. */
  async keysOf(issuer: string): Promise<PdpAnswer> {
    return this.#send(`${issuer}/.well-known/jwks.json`, {});
  }

  async discover(): Promise<void> {
    if (this.#options.defaultPaths === true) return;
    const { status, body } = await this.metadata();
    if (status !== 200 || typeof body !== 'object' || body === null) return;
    for (const [name, member] of Object.entries(this.#members)) {
      const url = (body as Record<string, unknown>)[member];
      if (typeof url === 'string') this.#paths.set(name, url);
    }
  }

  post(endpoint: string, body: unknown, { headers = {}, raw }: Sent = {}): Promise<PdpAnswer> {
    const path = this.#paths.get(endpoint) ?? endpoint;
    const { token } = this.#options;
    return this.#send(path.startsWith('http') ? path : `${this.url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: raw ?? JSON.stringify(body),
    });
  }

  async close(): Promise<void> {
    await this.#agent?.close();
  }

  async #send(
    url: string,
    init: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<PdpAnswer> {
    const response = await fetch(url, { ...init, ...(this.#agent && { dispatcher: this.#agent }) });
    const text = await response.text();
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      body = undefined;
    }
    return {
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      requestId: response.headers.get('x-request-id'),
      body,
    };
  }
}
