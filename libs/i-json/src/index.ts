/** Strict JSON for edges: what two parsers could read differently is refused. Used for every JSON body we accept. */
export { IJsonError, type IJsonLimits, parseIJson } from './parse-i-json.js';
