import { type HeadlessBrowser } from '@behalf/headless-browser';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { PersonOAuthProvider } from './person-oauth-provider.js';

export interface ToolResult {
  isError: boolean;
  text: string;
}

/** A person with an MCP client: connects, signs in when told to, calls tools. */
export class Person {
  readonly #provider: PersonOAuthProvider;
  #client = new Client({ name: 'demo-story', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });

  constructor(
    readonly username: string,
    readonly resource: string,
    private readonly browser: HeadlessBrowser,
    clientMetadataUrl: string,
  ) {
    this.#provider = new PersonOAuthProvider(clientMetadataUrl);
  }

  get accessToken(): string {
    return this.#provider.tokens()?.access_token ?? '';
  }

  async connect(): Promise<void> {
    await this.#signingInWhenAsked(async () => {
      this.#client = new Client(
        { name: 'demo-story', version: '1.0.0' },
        { versionNegotiation: { mode: 'auto' } },
      );
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
