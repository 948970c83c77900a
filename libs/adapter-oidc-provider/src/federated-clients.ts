import { findBySpiffeId, findByWorkload, trustDomainOf } from '@behalf/agent-identity';
import type { Agent } from '@behalf/contracts';
import { grantTypes, OAuthError } from '@behalf/oauth';
import { nowSeconds } from '@behalf/ports';
import { peekIssuer, type VerifiedJwt, verifyTrustedJwt } from '@behalf/trusted-issuers';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { AgentClients } from './agent-clients.js';
import { jwtBearerAssertion } from './client-assertion.js';
import { contextIfAny, currentContext } from './current-context.js';
import type { ProviderDependencies } from './dependencies.js';
import { claimJti } from './replay-detection.js';
import { throwToLibrary } from './throw-to-library.js';

const endpoints = new Set(['token', 'introspection', 'revocation']);
/** Stands for the client while it is not known who that is. Nobody has this id. */
const unknownClient = 'urn:behalf:client-of-assertion';

/** Parameters as the library holds them while nothing has been judged. */
type Parameters = Record<string, string | string[] | undefined>;

/** A token of somebody else that a client wants to be known by. */
interface Presented {
  token: string;
  kind: 'spiffe' | 'workload';
  /** Which parameter it came in. As `assertion` of the jwt-bearer grant it is the whole request. */
  parameter: 'client_assertion' | 'assertion';
  clientId: string | undefined;
}

/**
 * Authenticates agents by tokens that the library knows nothing of: JWT-SVIDs, and tokens of the platform that a
 * workload runs on. The library is shown a client without an authentication method for that one request, after the token
 * has been verified.
 *
 * @see draft-ietf-oauth-spiffe-client-auth §3; RFC 7523 §2.2, §2.1 and MCP SEP-1933 for workloads
 */
export class FederatedClients {
  readonly #presented = new WeakMap<KoaContextWithOIDC, Presented>();
  readonly #authenticated = new WeakMap<KoaContextWithOIDC, Presented & { clientId: string }>();

  constructor(
    private readonly deps: ProviderDependencies,
    private readonly agents: AgentClients,
  ) {}

  /** Puts itself in the library's way: where parameters are assigned, clients are found and methods are compared. */
  installOn(provider: Provider): void {
    const intercept = (ctx: KoaContextWithOIDC, parameters: Parameters): void =>
      this.#intercept(ctx, parameters);
    const kept = new WeakMap<object, Parameters>();
    Object.defineProperty(provider.OIDCContext.prototype, 'params', {
      configurable: true,
      get(this: object) {
        return kept.get(this);
      },
      set(this: { ctx: KoaContextWithOIDC; route: string }, parameters: Parameters) {
        kept.set(this, parameters);
        if (endpoints.has(this.route)) intercept(this.ctx, parameters);
      },
    });

    const Client = provider.Client as unknown as { find: typeof provider.Client.find; prototype: object };
    const find = Client.find.bind(Client);
    Client.find = async (id) => find(id === unknownClient ? await this.#authenticate(currentContext()) : id);

    const isAuthenticated = (clientId: string): boolean => {
      const ctx = contextIfAny();
      return ctx !== undefined && this.of(ctx)?.clientId === clientId;
    };
    Object.defineProperty(Client.prototype, 'clientAuthMethod', {
      get(this: { clientId: string; tokenEndpointAuthMethod: string }) {
        return isAuthenticated(this.clientId) ? 'none' : this.tokenEndpointAuthMethod;
      },
    });
  }

  /** Who this request was authenticated as here, and by what; undefined for all that the library authenticated. */
  of(ctx: KoaContextWithOIDC): Readonly<Presented & { clientId: string }> | undefined {
    return this.#authenticated.get(ctx);
  }

  /** True for a request whose client is authenticated here, and by nobody else. */
  concerns(parameters: Readonly<Parameters>): boolean {
    return this.#findToken(parameters) !== undefined;
  }

  #intercept(ctx: KoaContextWithOIDC, parameters: Parameters): void {
    const presented = this.#findToken(parameters);
    // With another mechanism beside it the request is malformed, which the library says.
    const { authorization, 'oauth-client-attestation': attestation } = ctx.headers;
    if (!presented || authorization !== undefined || attestation !== undefined) return;
    if (parameters['client_secret'] !== undefined) return;
    this.#presented.set(ctx, presented);
    parameters['client_assertion'] = parameters['client_assertion_type'] = undefined;
    parameters['client_id'] = unknownClient;
  }

  #findToken(parameters: Readonly<Parameters>): Presented | undefined {
    const { client_assertion_type: type, client_assertion: assertion, client_id: clientId } = parameters;
    if (Array.isArray(clientId)) return undefined;
    if (typeof assertion === 'string') {
      const presented = { token: assertion, parameter: 'client_assertion', clientId } as const;
      if (type !== undefined && type === this.deps.config.authorizationServer.spiffe?.assertionType)
        return { ...presented, kind: 'spiffe' };
      const isWorkload = type === jwtBearerAssertion && this.#workloadIssuer(assertion) !== undefined;
      return isWorkload ? { ...presented, kind: 'workload' } : undefined;
    }
    const { grant_type: grantType, assertion: grant } = parameters;
    const isRequest =
      grantType === grantTypes.jwtBearer &&
      typeof grant === 'string' &&
      assertion === undefined &&
      clientId === undefined &&
      !isIdentityAssertion(grant) &&
      this.#workloadIssuer(grant) !== undefined;
    return isRequest ? { token: grant, parameter: 'assertion', clientId, kind: 'workload' } : undefined;
  }

  /** @throws InvalidClientAuth */
  async #authenticate(ctx: KoaContextWithOIDC): Promise<string> {
    const presented = this.#presented.get(ctx);
    const parameters = ctx.oidc.params as unknown as Parameters;
    if (!presented) throw new errors.InvalidClientAuth({ cause: 'no assertion came' });
    this.#presented.delete(ctx);
    const agent = await (
      presented.kind === 'spiffe' ? this.#bySvid(presented) : this.#byWorkload(presented)
    ).catch((error: unknown) => {
      if (error instanceof OAuthError && error.code === 'temporarily_unavailable')
        return throwToLibrary(ctx, error);
      throw error instanceof OAuthError ? refused(error) : error;
    });
    if (!agent) throw refused('the token is of nobody who is known here');
    const declared = presented.clientId;
    const names = [
      agent.id,
      agent.credential?.method === 'spiffe_jwt' ? agent.credential.spiffeId : agent.id,
    ];
    if (declared !== undefined && !names.includes(declared)) throw refused('client_id names somebody else');
    // Refuses what is suspended.
    await this.agents.find(agent.id);
    this.#authenticated.set(ctx, { ...presented, clientId: agent.id });
    parameters['client_id'] = agent.id;
    return agent.id;
  }

  async #bySvid({ token }: Presented): Promise<Agent | undefined> {
    const { spiffe, issuer } = this.deps.config.authorizationServer;
    const spiffeId = peekSubject(token);
    const domain = spiffe?.trustDomains.find(({ name }) => name === trustDomainOf(spiffeId));
    // Keys of the trust domain that the SPIFFE ID names: no domain speaks for another.
    if (!domain || !spiffeId.startsWith('spiffe://')) throw refused('the trust domain is not known');
    const verified = await verifyTrustedJwt(token, {
      issuer: undefined,
      keys: this.deps.trustedKeys.keysOf({
        issuer: `spiffe://${domain.name}`,
        jwks: domain.bundle,
        jwksUri: domain.bundleUri,
      }),
      algorithms: ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
      audiences: [issuer],
      types: [undefined, 'jwt', 'jose'],
      maxLifetimeSeconds: domain.maxLifetimeSeconds,
      nowSeconds: nowSeconds(this.deps.clock),
    });
    await this.#useUp(verified, `spiffe://${domain.name}`);
    return findBySpiffeId(this.deps.records, verified.claims.sub);
  }

  async #byWorkload({ token }: Presented): Promise<Agent | undefined> {
    const trusted = this.#workloadIssuer(token);
    if (!trusted?.workloads) throw refused('the issuer is not known');
    const { audiences, maxLifetimeSeconds, reusable } = trusted.workloads;
    const verified = await verifyTrustedJwt(token, {
      issuer: trusted.issuer,
      keys: this.deps.trustedKeys.keysOf(trusted),
      algorithms: trusted.algorithms,
      audiences: audiences ?? [this.deps.config.authorizationServer.issuer],
      types: [undefined, 'jwt'],
      maxLifetimeSeconds,
      nowSeconds: nowSeconds(this.deps.clock),
    });
    const agent = await findByWorkload(this.deps.records, verified.claims);
    // Last, so that what is refused for another reason is not used up.
    if (agent && !reusable) await this.#useUp(verified, trusted.issuer);
    return agent;
  }

  /** A token that names itself is good for one request. One that does not is meant to be shown until it expires. */
  async #useUp({ claims, issuedAtMs }: VerifiedJwt, issuer: string): Promise<void> {
    const { jti, exp } = claims;
    if (jti === undefined) return;
    const ttlSeconds = Math.max(exp - nowSeconds(this.deps.clock), 0) + 60;
    if (!(await claimJti(this.deps.oneTime, issuer, jti, { ttlSeconds, issuedAtMs })))
      throw refused('the token was used before');
  }

  #workloadIssuer(token: string) {
    const { trustedIssuers } = this.deps.config.authorizationServer;
    const ofWorkloads = trustedIssuers.filter(({ workloads }) => workloads !== undefined);
    const issuer = ofWorkloads.length === 0 ? undefined : peekIssuer(token);
    return ofWorkloads.find((trusted) => trusted.issuer === issuer);
  }
}

/** True for an ID-JAG, by what its header says. @see draft-ietf-oauth-identity-assertion-authz-grant §3 */
export function isIdentityAssertion(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ?.toLowerCase() === 'oauth-id-jag+jwt';
  } catch {
    return false;
  }
}

function peekSubject(token: string): string {
  try {
    return String(decodeJwt(token).sub);
  } catch (cause) {
    throw refused(cause);
  }
}

function refused(cause: unknown): errors.InvalidClientAuth {
  return new errors.InvalidClientAuth(cause instanceof Error ? { cause } : { detail: String(cause) });
}
