import {
  type AuthorizationRequest,
  type PendingAuthorization,
  type Provider,
  type ProviderTokens,
  type ThirdParties,
  ThirdPartyError,
  defaultQuirks,
} from '@behalf/third-party';
import { randomUUID } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A third party that agrees to everything at once, unless it is told what to do with the person. */
export class FakeThirdParty implements ThirdParties {
  readonly #codes = new Map<string, readonly string[]>();
  readonly #server: Server;
  /** Changes the parameters that the browser is sent back with. */
  tamper: (callback: URLSearchParams) => void = () => {};
  /** What becomes of codes instead of tokens. */
  failure: ThirdPartyError | undefined;
  redeemed = 0;
  /** Who people are there; undefined where it does not say. */
  accountId: string | undefined;
  readonly revoked: string[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      const asked = new URL(request.url ?? '/', this.url).searchParams;
      const code = randomUUID();
      this.#codes.set(code, (asked.get('scope') ?? '').split(' ').filter(Boolean));
      const back = new URL(asked.get('redirect_uri') ?? '');
      back.searchParams.set('code', code);
      back.searchParams.set('state', asked.get('state') ?? '');
      back.searchParams.set('iss', asked.get('issuer') ?? '');
      this.tamper(back.searchParams);
      response.writeHead(303, { location: back.href }).end();
    });
  }

  static async start(): Promise<FakeThirdParty> {
    const party = new FakeThirdParty();
    await new Promise<void>((resolve) => party.#server.listen(0, '127.0.0.1', resolve));
    return party;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async authorizationUrl(provider: Provider, { redirectUri, state, scopes }: AuthorizationRequest) {
    const issuer = issuerOf(provider);
    const url = new URL('/authorize', this.url);
    url.search = new URLSearchParams({
      redirect_uri: redirectUri,
      state,
      scope: scopes.join(' '),
      issuer,
    }).toString();
    const pending: PendingAuthorization = {
      providerId: provider.id,
      state,
      redirectUri,
      codeVerifier: 'verifier',
      scopes,
      resource: provider.resources[0],
      issuer,
      client: undefined,
    };
    return { url: url.href, pending };
  }

  async redeemCode(
    provider: Provider,
    pending: PendingAuthorization,
    callback: URLSearchParams,
  ): Promise<ProviderTokens> {
    if (callback.get('iss') !== pending.issuer) throw new ThirdPartyError('mix_up', provider.id);
    if (callback.has('error')) throw new ThirdPartyError('denied', provider.id);
    if (this.failure) throw this.failure;
    const scopes = this.#codes.get(callback.get('code') ?? '');
    if (!scopes || !this.#codes.delete(callback.get('code') ?? ''))
      throw new ThirdPartyError('invalid_grant', provider.id);
    this.redeemed += 1;
    return { ...tokensFor(`token-${this.redeemed}`, scopes), accountId: this.accountId };
  }

  async refresh(): Promise<never> {
    throw new Error('nothing here is refreshed');
  }

  async revoke(_provider: Provider, { accessToken }: { accessToken: string }): Promise<'revoked'> {
    this.revoked.push(accessToken);
    return 'revoked';
  }

  async probeStaticCredential(provider: Provider, credential: string) {
    if (credential !== 'good-key') throw new ThirdPartyError('refused', provider.id);
    return { account: 'alice@desk.example' };
  }
}

function issuerOf({ id }: Provider): string {
  return `https://${id}.example`;
}

function tokensFor(accessToken: string, scopes: readonly string[]): ProviderTokens {
  return {
    accessToken,
    tokenType: 'Bearer',
    expiresInSeconds: 3600,
    refreshToken: undefined,
    scopes,
    account: undefined,
    client: undefined,
  };
}

const common = { defaultScopes: [], internalHosts: [] };
const quirks = { ...defaultQuirks, refreshGraceSeconds: 0 };

/** Two that people are sent to, and one whose key they enter. */
export const providers: Provider[] = [
  {
    ...common,
    kind: 'oauth',
    id: 'drive',
    // Whoever writes the configuration may have copied the name from anywhere.
    name: 'Drive <script>alert(1)</script>',
    resources: ['https://api.drive.example'],
    scopes: { 'files.read': 'See your files', 'files.write': 'Change your files' },
    issuer: 'https://drive.example',
    endpoints: undefined,
    revocation: undefined,
    client: { id: 'behalf', auth: 'none' },
    quirks,
  },
  {
    ...common,
    kind: 'oauth',
    id: 'mail',
    name: 'Mail',
    resources: ['https://api.mail.example'],
    scopes: { 'mail.read': 'Read your mail', 'mail.all': 'Read and send your mail' },
    impliedScopes: { 'mail.all': ['mail.read'] },
    issuer: 'https://mail.example',
    endpoints: undefined,
    revocation: undefined,
    client: { id: 'behalf', auth: 'none' },
    quirks,
  },
  {
    ...common,
    kind: 'static',
    id: 'desk',
    name: 'Desk',
    resources: ['https://api.desk.example'],
    scopes: { tickets: 'See your tickets' },
    credential: { label: 'API key', hint: 'Under Settings', header: 'x-api-key', prefix: '' },
    probe: { url: 'https://api.desk.example/me', method: 'GET', account: undefined },
  },
];
