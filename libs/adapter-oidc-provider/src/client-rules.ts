import { grantTypes } from '@behalf/oauth';
import { errors, type Provider } from 'oidc-provider';
import { matchesAnySecret } from './client-secret.js';
import type { ProviderDependencies } from './dependencies.js';
import { isRegisteredRedirect, redirectUriFault } from './redirect-uris.js';

/** What a client may have that nobody configured: grants on behalf of a person who consented, and nothing else. */
const openGrantTypes: ReadonlySet<string> = new Set([grantTypes.authorizationCode, grantTypes.refreshToken]);

/** Metadata while it is being checked, as oidc-provider's schema holds it. */
interface MetadataUnderCheck {
  client_id: string;
  redirect_uris?: string[];
  grant_types?: unknown;
  response_types?: unknown;
  application_type?: unknown;
  scope?: unknown;
  token_endpoint_auth_method?: unknown;
  authorization_details_types?: unknown;
}

interface ClientUnderRules {
  clientId: string;
  clientSecret: string;
  redirectUris: string[];
  postLogoutRedirectUris?: string[];
}

/**
 * Puts our rules for client metadata in place of oidc-provider's, which depend on `application_type` and refuse what
 * real clients register. Rules that concern security stay at least as strict.
 *
 * @param isKnownToOperator true for clients that an operator configured or registered, which keep the grants they have
 * @param secretsOf the secrets of configured clients, as they are now
 * @param detailsTypes the types of authorization details that there are
 */
export function applyClientRules(
  provider: Provider,
  isKnownToOperator: (clientId: string) => boolean,
  secretsOf: ProviderDependencies['clientSecrets'],
  detailsTypes: readonly string[],
): void {
  const Client = provider.Client as unknown as {
    prototype: object;
    Schema: { prototype: object };
  };
  Object.assign(Client.prototype, {
    redirectUriAllowed(this: ClientUnderRules, uri: string) {
      return isRegisteredRedirect(uri, this.redirectUris);
    },
    postLogoutRedirectUriAllowed(this: ClientUnderRules, uri: string) {
      return isRegisteredRedirect(uri, this.postLogoutRedirectUris ?? []);
    },
    compareClientSecret(this: ClientUnderRules, presented: string) {
      return matchesAnySecret(secretsOf(this.clientId) ?? [this.clientSecret], presented);
    },
  });

  const schema = Client.Schema.prototype;
  const librarysChoices = Reflect.get(schema, 'choices') as (this: MetadataUnderCheck) => void;
  Object.assign(schema, {
    // The first step of the library's check: everything is assigned, nothing is judged yet.
    choices(this: MetadataUnderCheck) {
      normalizeMetadata(this, isKnownToOperator);
      if (detailsTypes.length > 0) normalizeDetailsTypes(this, detailsTypes);
      librarysChoices.call(this);
    },
    redirectUris(this: MetadataUnderCheck, uris = this.redirect_uris ?? [], label = 'redirect_uris') {
      for (const uri of uris) {
        const fault = redirectUriFault(uri);
        if (fault !== undefined) throw new errors.InvalidClientMetadata(`${label} ${fault}`);
      }
    },
  });
}

/** Drops what a client asks for and this server does not have; RFC 7591 §2 lets a server replace metadata. */
function normalizeMetadata(
  metadata: MetadataUnderCheck,
  isKnownToOperator: (clientId: string) => boolean,
): void {
  // Clients register the first scopes they saw and ask for more later: it is no ceiling.
  delete metadata.scope;
  if (metadata.application_type !== 'native') metadata.application_type = 'web';
  if (isKnownToOperator(metadata.client_id)) return;
  if (Array.isArray(metadata.grant_types)) {
    // An identity provider says who may redeem its assertions; here it takes a client that can prove who it is.
    const canAuthenticate = metadata.token_endpoint_auth_method !== 'none';
    metadata.grant_types = metadata.grant_types.filter(
      (type) => openGrantTypes.has(type as string) || (canAuthenticate && type === grantTypes.jwtBearer),
    );
  }
  if (Array.isArray(metadata.response_types)) {
    metadata.response_types = metadata.response_types.filter((type) => type === 'code');
  }
  const redeems = Array.isArray(metadata.grant_types) && metadata.grant_types.includes(grantTypes.jwtBearer);
  if (isEmpty(metadata.grant_types) || (isEmpty(metadata.response_types) && !redeems)) {
    throw new errors.InvalidClientMetadata('only the authorization code grant can be registered for');
  }
}

/**
 * A client that names none may ask for all, as if it knew of no such metadata; the library takes none for none. One
 * document serves many servers, so types that are known elsewhere are no fault.
 *
 * @see RFC 9396 §10
 */
function normalizeDetailsTypes(metadata: MetadataUnderCheck, known: readonly string[]): void {
  const named = metadata.authorization_details_types;
  metadata.authorization_details_types =
    Array.isArray(named) && named.length > 0 ? known.filter((type) => named.includes(type)) : [...known];
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
