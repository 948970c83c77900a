/** Injection tokens of this service, for what is known only by its interface. */
export const THIRD_PARTIES = Symbol('THIRD_PARTIES');
export const VAULT = Symbol('VAULT');
export const OUTBOUND_RELAY = Symbol('OUTBOUND_RELAY');
export const TOKEN_CHECKS = Symbol('TOKEN_CHECKS');
export const VAULT_OPERATOR = Symbol('VAULT_OPERATOR');
