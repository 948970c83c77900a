/** Injection tokens. Each stands for a port or for the configuration; modules bind them, edges ask for them. */
export const CONFIG = Symbol('CONFIG');
export const CLOCK = Symbol('CLOCK');
export const RECORD_STORE = Symbol('RECORD_STORE');
export const ONE_TIME_STORE = Symbol('ONE_TIME_STORE');
export const RATE_LIMITER = Symbol('RATE_LIMITER');
export const SHARED_CACHE = Symbol('SHARED_CACHE');
export const BUS = Symbol('BUS');
export const EVENT_LOG = Symbol('EVENT_LOG');
export const AUDIT_LOG = Symbol('AUDIT_LOG');
export const KEY_ENCRYPTION_KEY = Symbol('KEY_ENCRYPTION_KEY');
export const LOGGER = Symbol('LOGGER');
