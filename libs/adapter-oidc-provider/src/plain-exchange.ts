import type { IncomingMessage } from 'node:http';
import { grantTypes, isScopeText, tokenTypes } from '@behalf/oauth';
import type { ExchangeParameters } from '@behalf/token-exchange';
import type { Provider } from 'oidc-provider';
import type { ProviderDependencies } from './dependencies.js';
import { type Form, peekForm } from './peek-form.js';
import type { AuthenticatedExchange } from './register-token-exchange.js';
import { authenticatePlainly, readPlainCredentials } from './plain-client.js';
import { settleResourceSpelling } from './request-rules.js';

interface PlainExchangeOptions {
  parameters: readonly string[];
  repeatable: readonly string[];
  /** Whether finding the client asks nobody else: a document that a stranger names is fetched by the library only. */
  mayLookUp: (clientId: string) => boolean;
  /** Whether the client is to be known by a token of somebody else. */
  isFederated: (form: Form) => boolean;
  exchange: (exchange: AuthenticatedExchange) => Promise<object>;
}

type Serve = (request: IncomingMessage) => Promise<object | undefined>;

const servers = new WeakMap<Provider, Serve>();
const failures = new WeakMap<IncomingMessage, Promise<never>>();

/**
 * Serves the plainest token exchange without the library: a client with a secret, or with an assertion that it signed,
 * asks for an access token that is bound to no key. The library would do the same, with several times the work.
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
  deps: Pick<ProviderDependencies, 'certificates' | 'resources' | 'config' | 'oneTime' | 'clock'>,
  options: PlainExchangeOptions,
): void {
  servers.set(provider, async (request) => {
    if (deps.certificates.of(request)) return undefined;
    const form = await peekForm(request);
    const parameters = form && plainParameters(form, options);
    const credentials = parameters && readPlainCredentials(request, form);
    if (!credentials || !options.mayLookUp(credentials.clientId) || options.isFederated(form))
      return undefined;
    settleResourceSpelling(parameters, deps.resources);
    // From here on nothing but a client that is not to be served leaves it to the library.
    const client = await authenticatePlainly(provider, request, credentials, deps).catch(() => undefined);
    if (!client) return undefined;

    const exchanging = options.exchange({ client, parameters });
    return exchanging.catch(() => {
      failures.set(request, exchanging as Promise<never>);
      return undefined;
    });
  });
}

/** @returns undefined unless the form is an exchange in which every parameter is as it should be */
function plainParameters(
  form: Form,
  { parameters: names, repeatable }: PlainExchangeOptions,
): (ExchangeParameters & { resource?: string | string[] | undefined }) | undefined {
  if (form['grant_type'] !== grantTypes.tokenExchange) return undefined;
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
