import {
  type BehalfConfig,
  protectedResources,
  type ProtectedResource,
  upstreamResource,
} from '@behalf/config';
import { canonicalResource } from '@behalf/oauth';

/** The protected resources that tokens are issued for, found by any spelling of their identifier. */
export class ResourceRegistry {
  readonly #registered: Map<string, ProtectedResource>;
  readonly #byCanonical: Map<string, ProtectedResource>;
  readonly #machineOnly: Set<string>;
  /** What a client means that cannot name a resource (MCP 2025-03-26). */
  readonly legacyDefault: string | undefined;

  constructor(config: BehalfConfig) {
    const { authorizationServer, gateway, policy, elicitation } = config;
    const resources = protectedResources(config);
    this.#registered = new Map(resources.map((r) => [r.resource, r]));
    this.#byCanonical = new Map(resources.map((r) => [canonicalResource(r.resource), r]));
    this.#machineOnly = new Set([
      `${authorizationServer.issuer}${authorizationServer.paths.admin}`,
      `${authorizationServer.issuer}${authorizationServer.paths.sharedSignals}`,
      policy.publicUrl,
      elicitation.publicUrl,
    ]);
    this.legacyDefault =
      gateway.legacyDefaultUpstream === undefined
        ? undefined
        : upstreamResource(gateway, gateway.legacyDefaultUpstream);
  }

  find(identifier: string): ProtectedResource | undefined {
    return this.#registered.get(identifier) ?? this.#byCanonical.get(canonicalResource(identifier));
  }

  /**
   * A resource that people may let clients use. Administration and policy decisions are for configured clients in
   * their own name only: no consent page gives them away.
   */
  findForPeople(identifier: string): ProtectedResource | undefined {
    const found = this.find(identifier);
    return found && !this.#machineOnly.has(found.resource) ? found : undefined;
  }

  /** True when the client is the resource, or one of the programs that serve it. */
  isServedBy(audience: string, clientId: string): boolean {
    return this.find(audience)?.servedBy.includes(clientId) ?? false;
  }
}
