/** Injection tokens of this service's own. */
export const POLICY_CONFIG = Symbol('POLICY_CONFIG');
export const POLICY_ENGINE = Symbol('POLICY_ENGINE');
