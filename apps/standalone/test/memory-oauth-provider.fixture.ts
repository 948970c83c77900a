import { randomUUID } from 'node:crypto';
import { browse } from './browse.fixture.js';

export interface MemoryProviderOptions {
  /** Who sits in front of the browser. */
  username: string;
  /** A client by metadata document; without it the client registers itself. */
  clientMetadataUrl?: string;
  /** `false`: the client neither registers for nor keeps refresh tokens. */
  refresh?: boolean;
}

/**
 * What an MCP client keeps in memory, for both generations of the SDK: their `OAuthClientProvider` interfaces agree on
 * everything that is here. The browser is driven at once; its result waits in `callback`.
 */
export class MemoryOAuthProvider {
  readonly redirectUrl = 'http://127.0.0.1:47113/callback';
  readonly clientMetadataUrl?: string;
  /** Every authorization URL that the client opened. */
  readonly opened: URL[] = [];
  callback: URL | undefined;
  client: any;
  #tokens: any;
  #discovered: any;
  #verifier = '';

  constructor(private readonly options: MemoryProviderOptions) {
    if (options.clientMetadataUrl) this.clientMetadataUrl = options.clientMetadataUrl;
  }

  get clientMetadata() {
    const refresh = this.options.refresh !== false;
    return {
      client_name: `Test client ${randomUUID().slice(0, 8)}`,
      redirect_uris: [this.redirectUrl],
      grant_types: refresh ? ['authorization_code', 'refresh_token'] : ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    };
  }

  saveDiscoveryState = (discovered: any): void => {
    this.#discovered = discovered;
  };
  discoveryState = (): any => this.#discovered;
  state = (): string => randomUUID();
  clientInformation = (): any => this.client;
  saveClientInformation = (client: any): void => {
    this.client = client;
  };
  tokens = (): any => this.#tokens;
  saveTokens = (tokens: any): void => {
    const { refresh_token, ...others } = tokens;
    this.#tokens = this.options.refresh === false ? others : { ...others, refresh_token };
  };
  saveCodeVerifier = (verifier: string): void => {
    this.#verifier = verifier;
  };
  codeVerifier = (): string => this.#verifier;

  redirectToAuthorization = async (url: URL): Promise<void> => {
    this.opened.push(url);
    this.callback = await browse(url, this.options.username);
  };

  /** What the last callback carried; it can be taken once. */
  takeCallback(): URLSearchParams {
    const { callback } = this;
    this.callback = undefined;
    if (!callback) throw new Error('no authorization has ended');
    return callback.searchParams;
  }
}
