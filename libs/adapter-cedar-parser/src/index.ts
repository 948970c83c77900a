/**
 * Cedar's parser behind the `PolicyParser` port of `@behalf/policy`: annotations and the JSON form of every policy, for
 * whoever reads policies instead of deciding by them. Deciding is in `@behalf/adapter-cedar`.
 */
export { CedarWasmParser } from './cedar-wasm-parser.js';
