/**
 * How gateways ask, each in its own words: wire form to evaluation and back, one file per dialect. Pure mapping: what
 * is decided is in `@behalf/policy`, and transports, authentication and recording are in `apps/policy`.
 */
export { type Unmappable, UnmappableRequest } from './unmappable-request.js';
export { isPlainPermit } from './is-plain-permit.js';
export { deniedCode, denialDetails, jsonRpcErrorBody } from './denial-details.js';
export { callerOf } from './claims.js';
export { type McpCall, isNotification, mcpEvaluation } from './mcp-call.js';
export { type MessageLimits, readJsonObject, readMcpMessage } from './message-call.js';
export { type Backend, backendAt, serverNamed } from './backend.js';
export { readHeaderCall } from './header-call.js';
export { type ProxiedCall, type ProxiedRequest, readProxiedCall } from './ext-authz.js';
export {
  type ExtMcpRequest,
  type FilterableList,
  extMcpCode,
  extMcpEvaluations,
  extMcpLists,
} from './ext-mcp.js';
export { type ProtobufStruct, type ProtobufValue, fromStruct, toStruct } from './protobuf-struct.js';
export { readPorc } from './toolhive-porc.js';
export { opaResult, readOpaInput } from './opa-data.js';
export { cedarAnswer, readCedarAuthorize } from './cedar-authorize.js';
export { type SearchAnswer, type SearchDependencies, type SearchKind, search } from './authzen-search.js';
export { type KnownEntities, type SearchResult } from './search-candidates.js';
export { type CoazInput, type CoazRequest, mapCoazRequest } from './coaz-mcp.js';
export { CoazError, coazErrorCodes } from './coaz-error.js';
