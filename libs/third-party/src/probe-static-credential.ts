import { z } from 'zod';
import type { OutboundHttp } from './http.js';
import { retryAfter } from './normalise-token-response.js';
import type { StaticCredentialProbe } from './ports.js';
import { UnusableReply } from './provider-failure.js';
import type { StaticProvider } from './provider.js';
import { ThirdPartyError } from './third-party-error.js';

/** No token is longer, and none holds a space or a line break: what does would write headers of its own. */
const credentialShape = /^[\x21-\x7e]{1,8192}$/;

/**
 * Tries a credential that a person entered at the provider's own API, so that a mistyped or foreign one is refused while
 * its person still looks at the page. Says nothing about what it may do there.
 *
 * @throws ThirdPartyError `invalid_grant`; UnusableReply; TransportFailure
 */
export async function probeStaticCredential(
  http: OutboundHttp,
  provider: StaticProvider,
  credential: string,
): Promise<StaticCredentialProbe> {
  if (!credentialShape.test(credential)) throw new ThirdPartyError('invalid_grant', provider.id);
  const { header, prefix } = provider.credential;
  const { url, method, account } = provider.probe;
  const reply = await http(url, {
    method,
    headers: { accept: 'application/json', [header.toLowerCase()]: `${prefix}${credential}` },
    internalHosts: provider.internalHosts,
  });
  if (reply.status === 401 || reply.status === 403) throw new ThirdPartyError('invalid_grant', provider.id);
  if (reply.status < 200 || reply.status >= 300) throw new UnusableReply(reply.status, retryAfter(reply));
  return { account: account === undefined ? undefined : memberOf(reply.body, account) };
}

function memberOf(body: Uint8Array, name: string): string | undefined {
  try {
    const found = z.record(z.string(), z.unknown()).parse(JSON.parse(Buffer.from(body).toString()))[name];
    return typeof found === 'string' ? found : undefined;
  } catch {
    // The credential is good; only its name is not known.
    return undefined;
  }
}
