import { actsForItself, tokenTypes } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeDependencies, RequestingClient, SubjectToken } from './ports.js';
import { readIssuer } from './read-issuer.js';
import { verifyPresentedToken } from './verify-presented-token.js';

type Verifiers = Pick<
  ExchangeDependencies,
  'issuer' | 'verifyAccessToken' | 'verifyIdToken' | 'verifyExternalToken' | 'transactionTokens'
>;

/**
 * Verifies the subject token and that it stands for a person.
 *
 * Its issuer chooses who verifies it, and `subject_token_type` as what: each verifier holds the token's own `typ`
 * against that, so that an ID token never passes for an access token, nor the other way round.
 * Does not check its key (`checkBinding`) nor whether this client may present it (`checkPresenter`).
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.1
 */
export async function verifySubjectToken(
  token: string,
  tokenType: string,
  client: RequestingClient,
  dependencies: Verifiers,
): Promise<SubjectToken> {
  const subject = await verifyByIssuer(token, tokenType, client, dependencies);
  if (actsForItself(subject.claims)) throw new ExchangeRefusal({ kind: 'subject_is_no_person' });
  return subject;
}

async function verifyByIssuer(
  token: string,
  tokenType: string,
  { clientId }: RequestingClient,
  { issuer: own, verifyAccessToken, verifyIdToken, verifyExternalToken, transactionTokens }: Verifiers,
): Promise<SubjectToken> {
  const issuer = readIssuer(token) ?? own;
  if (issuer !== own) {
    if (!verifyExternalToken) throw new ExchangeRefusal({ kind: 'subject_issuer_unknown' });
    const verifying = verifyExternalToken(token, { issuer, tokenType, clientId });
    return { kind: 'external', claims: await verifyPresentedToken(verifying, 'subject') };
  }
  if (tokenType === tokenTypes.accessToken) {
    return { kind: 'access_token', claims: await verifyPresentedToken(verifyAccessToken(token), 'subject') };
  }
  if (tokenType === tokenTypes.idToken && verifyIdToken) {
    return { kind: 'id_token', claims: await verifyPresentedToken(verifyIdToken(token), 'subject') };
  }
  if (tokenType === tokenTypes.transactionToken && transactionTokens) {
    const claims = await verifyPresentedToken(transactionTokens.verify(token), 'subject');
    return { kind: 'transaction_token', claims };
  }
  throw new ExchangeRefusal({ kind: 'token_type_unsupported', parameter: 'subject_token_type' });
}
