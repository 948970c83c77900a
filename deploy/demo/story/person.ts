import { type HeadlessBrowser } from '@behalf/headless-browser';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { PersonOAuthProvider } from './person-oauth-provider.js';

export interface ToolResult {
  isError: boolean;
  text: string;
}

export interface PersonOptions {
  /** The newest that the server speaks, without it. */
  era?: 'legacy';
  /** What the person does with a URL that their client shows them; a client without it shows none. */
  onUrl?: (url: string) => Promise<void>;
}

/** A person with an MCP client: connects, signs in when told to, calls tools. */
export class Person {
  readonly #provider: PersonOAuthProvider;
  #client: Client;

  constructor(
    readonly username: string,
    readonly resource: string,
    private readonly browser: HeadlessBrowser,
    clientMetadataUrl: string,
    private readonly options: PersonOptions = {},
  ) {
    this.#client = this.#newClient();
    this.#provider = new PersonOAuthProvider(clientMetadataUrl);
  }

  get accessToken(): string {
    return this.#provider.tokens()?.access_token ?? '';
  }

  async connect(): Promise<void> {
    await this.#signingInWhenAsked(async () => {
      this.#client = this.#newClient();
      await this.#client.connect(this.#transport());
    });
  }

  async listTools(): Promise<string[]> {
    const { tools } = await this.#client.listTools();
    return tools.map((tool) => tool.name);
  }

  /** Calls a tool; where more scope is needed, asks the person for it and calls again. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<ToolResult> {
    return this.#signingInWhenAsked(async () => {
      const result = await this.#client.callTool({ name, arguments: args });
      const text = result.content
        .map((part) => (part.type === 'text' ? part.text : `(${part.type})`))
        .join('\n');
      return { isError: result.isError === true, text };
    });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #newClient(): Client {
    const { era, onUrl } = this.options;
    const client = new Client(
      { name: 'demo-story', version: '1.0.0' },
      {
        versionNegotiation: { mode: era ?? 'auto' },
        ...(onUrl && { capabilities: { elicitation: { url: {} } } }),
      },
    );
    if (onUrl)
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        if (params.mode !== 'url') return { action: 'decline' };
        await onUrl(params.url);
        return { action: 'accept' };
      });
    return client;
  }

  #transport(): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(new URL(this.resource), { authProvider: this.#provider });
  }

  async #signingInWhenAsked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const url = this.#provider.authorizationUrl;
      if (!(error instanceof UnauthorizedError) || url === undefined) throw error;
      this.#provider.authorizationUrl = undefined;
      const { redirectUrl } = this.#provider;
      const callback = await this.browser.signInAndConsent(url, {
        username: this.username,
        stopAt: (address) => address.href.startsWith(redirectUrl),
      });
      await this.#transport().finishAuth(callback.searchParams);
      return await work();
    }
  }
}
