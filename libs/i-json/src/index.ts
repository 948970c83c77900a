/** Strict JSON for edges: what two parsers could read differently is refused. And the one spelling of a value, to hash. */
export { canonicalJson, digestOf } from './canonical-json.js';
export { IJsonError, type IJsonLimits, parseIJson } from './parse-i-json.js';
export { isSameJson } from './is-same-json.js';
export { isPlainJson, isPlainObject } from './is-plain-json.js';
