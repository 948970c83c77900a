/** What the parts of this service ask for by injection, besides the ports. */
export const ADMIN_AUTHORIZATION = Symbol('ADMIN_AUTHORIZATION');
export const AGENT_DEPENDENCIES = Symbol('AGENT_DEPENDENCIES');
export const INTERACTIONS = Symbol('INTERACTIONS');
export const PROVIDER_HOLDER = Symbol('PROVIDER_HOLDER');
export const RESOURCE_REGISTRY = Symbol('RESOURCE_REGISTRY');
export const SIGNING_KEYS = Symbol('SIGNING_KEYS');
export const UPSTREAM_SIGN_IN = Symbol('UPSTREAM_SIGN_IN');
export const ISSUER_KEYS = Symbol('ISSUER_KEYS');
export const KEY_ROTATION = Symbol('KEY_ROTATION');
export const SIGNER = Symbol('SIGNER');
export const CLIENT_DIRECTORY = Symbol('CLIENT_DIRECTORY');
export const DELEGATION = Symbol('DELEGATION');
export const FORM_GUARD = Symbol('FORM_GUARD');
export const GRANT_USES = Symbol('GRANT_USES');
export const PERSON_SESSIONS = Symbol('PERSON_SESSIONS');
export const ACCOUNT_FORMS = Symbol('ACCOUNT_FORMS');
export const EXCHANGE_CACHE = Symbol('EXCHANGE_CACHE');
