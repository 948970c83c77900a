import type { IncomingMessage, ServerResponse } from 'node:http';
import { servePlainExchange } from '@behalf/adapter-oidc-provider';
import type { Provider } from 'oidc-provider';

/** The provider of the moment: it holds its signing keys for life, so a rotation puts another in its place. */
export class ProviderHolder {
  #provider: Provider;
  #callback: (request: IncomingMessage, response: ServerResponse) => Promise<void>;

  private constructor(
    private readonly build: () => Promise<Provider>,
    provider: Provider,
  ) {
    this.#provider = provider;
    this.#callback = provider.callback();
  }

  static async open(build: () => Promise<Provider>): Promise<ProviderHolder> {
    return new ProviderHolder(build, await build());
  }

  get current(): Provider {
    return this.#provider;
  }

  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#callback(request, response);
  }

  /** What a request to the token endpoint is answered with; undefined when `handle` has to answer it. */
  answerPlainly(request: IncomingMessage): Promise<object | undefined> {
    return servePlainExchange(this.#provider, request);
  }

  /** Requests that are running finish on the old one. */
  async reload(): Promise<void> {
    this.#provider = await this.build();
    this.#callback = this.#provider.callback();
  }
}
