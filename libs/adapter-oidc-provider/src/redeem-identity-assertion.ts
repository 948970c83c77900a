import { randomUUID } from 'node:crypto';
import { idJagType, redeemIdJag, type RedeemDependencies } from '@behalf/id-jag';
import { nowSeconds } from '@behalf/ports';
import { activeTraceId } from '@behalf/telemetry';
import { peekIssuer, qualifyActors, verifyTrustedJwt } from '@behalf/trusted-issuers';
import type { Provider, TokenEndpointGrantContext } from 'oidc-provider';
import { buildTokenResponse } from 'oidc-provider/lib/helpers/grants.js';
import type { AgentClients } from './agent-clients.js';
import type { ProviderDependencies } from './dependencies.js';
import { findUpstreamPerson } from './person.js';
import { readProof } from './presented-proof.js';
import { claimJti } from './replay-detection.js';
import { throwToLibrary } from './throw-to-library.js';

const clockMarginSeconds = 60;

/**
 * Answers a jwt-bearer request with an ID-JAG. What it gives is decided in `@behalf/id-jag`.
 *
 * @see MCP Enterprise-Managed Authorization §5
 */
export async function redeemIdentityAssertion(
  provider: Provider,
  ctx: TokenEndpointGrantContext,
  deps: ProviderDependencies,
  agents: AgentClients,
): Promise<void> {
  const { client, params } = ctx.oidc;
  const agent = await agents.find(client.clientId);
  const request = {
    client: {
      clientId: client.clientId,
      isConfidential: client.tokenEndpointAuthMethod !== 'none',
      ceiling: agent && { ...agent.ceiling, maxLifetimeSeconds: agent.lifetimes.tokenSeconds },
    },
    assertion: params['assertion'] as string | undefined,
    resource: params['resource'] as string | undefined,
    scope: params.scope,
    proof: await readProof(provider, ctx, deps.certificates),
    nowSeconds: nowSeconds(deps.clock),
    traceId: activeTraceId(),
  };
  const claims = await redeemIdJag(request, redeemDependencies(deps)).catch((error: unknown) =>
    throwToLibrary(ctx, error),
  );
  const accessToken = await deps.exchange.signer.sign({ ...claims }, { typ: 'at+jwt' });
  ctx.body = buildTokenResponse(provider, {
    accessToken,
    expiresIn: claims.exp - claims.iat,
    scope: claims.scope,
    tokenType: claims.cnf?.jkt === undefined ? 'Bearer' : 'DPoP',
    authorizationDetails: claims.authorization_details,
  });
}

function redeemDependencies(deps: ProviderDependencies): RedeemDependencies {
  const { config, records, oneTime, clock, resources, trustedKeys } = deps;
  const { issuer, lifetimes, trustedIssuers } = config.authorizationServer;
  const configured = (name: string | undefined) =>
    trustedIssuers.find((trusted) => trusted.issuer === name && trusted.identityAssertions);
  return {
    issuer,
    accessTokenSeconds: lifetimes.accessTokenSeconds,
    findIssuer: (assertion) => {
      const trusted = configured(peekIssuer(assertion));
      return trusted && { issuer: trusted.issuer, ...trusted.identityAssertions };
    },
    verify: (assertion, { issuer: name }) => {
      const trusted = configured(name);
      if (!trusted?.identityAssertions) throw new Error('the issuer is not trusted');
      return verifyTrustedJwt(assertion, {
        issuer: name,
        keys: trustedKeys.keysOf(trusted),
        algorithms: trusted.algorithms,
        audiences: [issuer],
        types: [idJagType],
        maxLifetimeSeconds: trusted.identityAssertions.maxLifetimeSeconds,
        nowSeconds: nowSeconds(clock),
      });
    },
    qualifyActors,
    findPerson: async (identity) => {
      const known = await findUpstreamPerson(records, identity);
      if (known) return known;
      const areAllTaken = configured(identity.issuer)?.identityAssertions?.people === 'all';
      // A name that only this issuer can give, as token exchange has for its people.
      return areAllTaken ? { sub: `${identity.issuer}#${identity.subject}`, groups: [] } : undefined;
    },
    findTarget: (identifier) => resources.findForPeople(identifier),
    decide: deps.exchange.decide,
    useUp: ({ issuer: name, jti, exp, issuedAtMs }) => {
      const ttlSeconds = Math.max(exp - nowSeconds(clock), 0) + clockMarginSeconds;
      return claimJti(oneTime, name, jti, { ttlSeconds, issuedAtMs });
    },
    audit: { append: deps.audit },
    newId: randomUUID,
  };
}
