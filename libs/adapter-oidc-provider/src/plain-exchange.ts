import type { IncomingMessage } from 'node:http';
import { grantTypes, isScopeText, tokenTypes } from '@behalf/oauth';
import type { ExchangeParameters } from '@behalf/token-exchange';
import type { Provider } from 'oidc-provider';
import type { ProviderDependencies } from './dependencies.js';
import { type Form, peekForm } from './peek-form.js';
import type { AuthenticatedExchange } from './register-token-exchange.js';
import { settleResourceSpelling } from './request-rules.js';

/** With any of these the client proves more than a secret, or something else instead. */
const otherProofs = ['dpop', 'oauth-client-attestation', 'oauth-client-attestation-pop'];
const otherCredentials = ['client_secret', 'client_assertion', 'client_assertion_type'];
const printable = /^[\x20-\x7e]+$/;
const secretMethods: readonly unknown[] = ['client_secret_basic', 'client_secret_post'];

interface PlainExchangeOptions {
  parameters: readonly string[];
  repeatable: readonly string[];
  /** Whether finding the client asks nobody else: a document that a stranger names is fetched by the library only. */
  mayLookUp: (clientId: string) => boolean;
  exchange: (exchange: AuthenticatedExchange) => Promise<object>;
}

/** What of the library's clients is used here. */
interface SecretClient {
  clientId: string;
  tokenEndpointAuthMethod?: string;
  clientSecretExpiresAt?: number;
  dpopBoundAccessTokens?: boolean;
  tlsClientCertificateBoundAccessTokens?: boolean;
  grantTypeAllowed(type: string): boolean;
  compareClientSecret(presented: string): boolean;
}

type Serve = (request: IncomingMessage) => Promise<object | undefined>;

const servers = new WeakMap<Provider, Serve>();
const failures = new WeakMap<IncomingMessage, Promise<never>>();

/**
 * Serves the plainest token exchange without the library: a client with a secret in the Authorization header asks for an
 * access token, and proves no key. The library would do the same, with several times the work.
 *
 * Whatever is not as plain as that, or not as it should be, is left to the library as it came: it reads the request
 * again from the start and refuses it in its own words. So does an exchange that failed: its error is the answer of the
 * library's handler, and nothing is done twice.
 *
 * @returns what to answer with; undefined when the library has to answer
 * @see RFC 6749 §2.3.1, RFC 8693 §2
 */
export async function servePlainExchange(
  provider: Provider,
  request: IncomingMessage,
): Promise<object | undefined> {
  return servers.get(provider)?.(request);
}

/** What an exchange that was tried here came to. */
export function failedBefore(request: IncomingMessage): Promise<never> | undefined {
  return failures.get(request);
}

export function servePlainExchanges(
  provider: Provider,
  deps: Pick<ProviderDependencies, 'certificates' | 'resources'>,
  options: PlainExchangeOptions,
): void {
  servers.set(provider, async (request) => {
    const credentials = readBasic(request.headers.authorization);
    if (!credentials || otherProofs.some((name) => request.headers[name] !== undefined)) return undefined;
    if (!options.mayLookUp(credentials.clientId) || deps.certificates.of(request)) return undefined;
    const form = await peekForm(request);
    const parameters = form && plainParameters(form, credentials.clientId, options);
    if (!parameters) return undefined;
    const client = await authenticate(provider, credentials);
    if (!client) return undefined;

    settleResourceSpelling(parameters, deps.resources);
    const exchanging = options.exchange({ client, parameters });
    return exchanging.catch(() => {
      failures.set(request, exchanging as Promise<never>);
      return undefined;
    });
  });
}

/** @returns undefined for credentials that the library might read in another way */
function readBasic(authorization: string | undefined): { clientId: string; secret: string } | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) return undefined;
  const text = bytes.toString('latin1');
  const colon = text.indexOf(':');
  const clientId = decodeCredential(text.slice(0, Math.max(colon, 0)));
  const secret = decodeCredential(text.slice(colon + 1));
  return clientId === undefined || secret === undefined ? undefined : { clientId, secret };
}

/** @see RFC 6749 §2.3.1: both are encoded as in a form; appendix A: of what characters they are */
function decodeCredential(encoded: string): string | undefined {
  if (!printable.test(encoded)) return undefined;
  if (!/[%+]/.test(encoded)) return encoded;
  try {
    const decoded = decodeURIComponent(encoded.replaceAll('+', ' '));
    return printable.test(decoded) ? decoded : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined unless the form is an exchange in which every parameter is as it should be */
function plainParameters(
  form: Form,
  clientId: string,
  { parameters: names, repeatable }: PlainExchangeOptions,
): (ExchangeParameters & { resource?: string | string[] | undefined }) | undefined {
  if (form['grant_type'] !== grantTypes.tokenExchange) return undefined;
  if ((form['client_id'] || clientId) !== clientId) return undefined;
  if (otherCredentials.some((name) => form[name])) return undefined;
  // The library looks into these, and our own code for identity assertions into its request.
  if (form['authorization_details']) return undefined;
  if ((form['requested_token_type'] || tokenTypes.accessToken) !== tokenTypes.accessToken) return undefined;
  if (form['scope'] && !isScopeText(form['scope'])) return undefined;
  const parameters: Record<string, string | string[]> = {};
  for (const name of names) {
    // Empty is as good as absent (RFC 6749 §3.2).
    const value = form[name];
    if (!value) continue;
    if (Array.isArray(value) && !repeatable.includes(name)) return undefined;
    parameters[name] = value;
  }
  return parameters;
}

/** @returns undefined for whom the library would refuse, or ask for more */
async function authenticate(
  provider: Provider,
  { clientId, secret }: { clientId: string; secret: string },
): Promise<SecretClient | undefined> {
  const found = provider.Client.find(clientId) as unknown as Promise<SecretClient | undefined>;
  const client = await found.catch(() => undefined);
  const isPlain =
    client !== undefined &&
    secretMethods.includes(client.tokenEndpointAuthMethod) &&
    !client.clientSecretExpiresAt &&
    !client.dpopBoundAccessTokens &&
    !client.tlsClientCertificateBoundAccessTokens &&
    client.grantTypeAllowed(grantTypes.tokenExchange);
  return isPlain && client.compareClientSecret(secret) ? client : undefined;
}
