/** Injection tokens of this service's own. */
export const POLICY_CONFIG = Symbol('POLICY_CONFIG');
export const POLICY_ENGINE = Symbol('POLICY_ENGINE');
/** Undefined unless the configuration wants tokens exchanged. */
export const TOKEN_EXCHANGER = Symbol('TOKEN_EXCHANGER');
