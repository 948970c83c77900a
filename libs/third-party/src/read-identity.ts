import type { OutboundHttp } from './http.js';
import type { ProviderTokens } from './ports.js';
import { UnusableReply } from './provider-failure.js';
import type { OAuthProvider, ProviderIdentity } from './provider.js';
import { asAccountId, readMember } from './webhook/read-member.js';

/**
 * Whose token it is, by the provider's own word.
 *
 * @throws UnusableReply; TransportFailure; SyntaxError
 */
export async function readIdentity(
  http: OutboundHttp,
  { internalHosts }: Pick<OAuthProvider, 'internalHosts'>,
  { url, id, name }: ProviderIdentity,
  accessToken: string,
): Promise<Pick<ProviderTokens, 'account' | 'accountId'>> {
  const reply = await http(url, {
    method: 'GET',
    headers: { accept: 'application/json', authorization: `Bearer ${accessToken}` },
    internalHosts,
  });
  if (reply.status !== 200) throw new UnusableReply(reply.status, undefined);
  const document: unknown = JSON.parse(Buffer.from(reply.body).toString());
  const accountId = asAccountId(readMember(document, id));
  return { accountId, account: name === undefined ? accountId : asAccountId(readMember(document, name)) };
}
