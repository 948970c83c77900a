import type { ClientCertificates } from '@behalf/client-certificate';
import type { Confirmation } from '@behalf/oauth';
import { decodeJwt } from 'jose';
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import {
  checkDpopReplay,
  checkDpopRequired,
  checkMtlsCert,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';

/**
 * Reads which keys a request to the token endpoint proves to hold. A DPoP proof is good for one request, and used up by this; a
 * client certificate has been proved by the TLS handshake.
 *
 * @throws InvalidDpopProof, UseDpopNonce; InvalidGrant when the client's tokens have to be bound and no proof came
 */
export async function readProof(
  provider: Provider,
  ctx: TokenEndpointGrantContext,
  certificates: ClientCertificates,
): Promise<Confirmation | undefined> {
  const dpop = await validateDpop(provider, ctx);
  await checkDpopReplay(provider, ctx, dpop, ctx.oidc.client.clientId, errors.InvalidDpopProof);
  checkDpopRequired(provider, ctx, dpop, errors.InvalidDpopProof);
  const isCertificateBinding = checkMtlsCert(provider, ctx) !== undefined;
  const presented = certificates.thumbprint(ctx.req);
  const thumbprint =
    presented !== undefined && (isCertificateBinding || needsCertificate(ctx)) ? presented : undefined;
  if (!dpop && thumbprint === undefined) return undefined;
  return {
    ...(dpop && { jkt: dpop.thumbprint }),
    ...(thumbprint !== undefined && { 'x5t#S256': thumbprint }),
  };
}

/**
 * What a client proves its tokens are bound to, so a certificate that its connection happens to have is left alone. It
 * is needed for a subject token that is bound to one; what that token says is looked at before it is verified, since
 * the most that a lie brings about is a token that is bound for nothing.
 */
function needsCertificate({ oidc }: TokenEndpointGrantContext): boolean {
  const presented = [oidc.params['subject_token'], oidc.params['actor_token']];
  return presented.some((token) => {
    if (typeof token !== 'string') return false;
    try {
      const { cnf, may_act: mayAct } = decodeJwt<Bound & { may_act?: Bound }>(token);
      return [cnf, mayAct?.cnf].some((confirmation) => confirmation?.['x5t#S256'] !== undefined);
    } catch {
      return false;
    }
  });
}

interface Bound {
  cnf?: Record<string, unknown>;
}
