import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An authorization server that wants the person once, and waits for them when it is asked to. */
export class FakeIssuer {
  readonly asked: URLSearchParams[] = [];
  #connected = false;
  #waiting: (() => void)[] = [];
  #waits = 0;
  /** Told when somebody begins to wait for the person, for the how manieth time. */
  onWait: (count: number) => void = () => {};
  /** What it answers in place of everything else. */
  refusal: { status: number; error: string } | undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const json = (status: number, body: object): void =>
        void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (request.url?.startsWith('/.well-known/'))
        return json(200, { issuer: this.url, token_endpoint: `${this.url}/token` });
      let text = '';
      request.on('data', (chunk) => (text += chunk));
      request.on('end', () => {
        const form = new URLSearchParams(text);
        this.asked.push(form);
        if (this.refusal) return json(this.refusal.status, { error: this.refusal.error });
        const answer = (): void => {
          if (this.#connected)
            return json(200, { access_token: 'drive-token', token_type: 'Bearer', scope: '' });
          json(400, {
            error: 'interaction_required',
            interaction_uri: 'https://connect.example/connect?e=e-1',
            interaction_message: 'Files needs your Drive account.',
            elicitation_id: 'e-1',
            request_state: 'sealed-state',
            expires_in: 900,
            interval: 1,
          });
        };
        if (form.get('wait') === '0' || this.#connected) return answer();
        this.#waiting.push(answer);
        this.onWait(++this.#waits);
      });
    });
  }

  static async start(): Promise<FakeIssuer> {
    const issuer = new FakeIssuer();
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The person has agreed. */
  connect(): void {
    this.#connected = true;
    this.#waiting.splice(0).forEach((answer) => answer());
  }

  /** Those who wait are told that nothing has happened. */
  timeOut(): void {
    this.#waiting.splice(0).forEach((answer) => answer());
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
