/**
 * The MCP wire vocabulary of both eras: messages, revisions, header agreement, error codes, what a method is decided
 * on, list filtering and the bridge between the eras. No I/O; the gateway that enforces with it is `apps/gateway`.
 */
export {
  assumedLegacyVersion,
  isModernVersion,
  legacyVersions,
  modernVersions,
  negotiateLegacyVersion,
  supportedVersions,
} from './protocol-versions.js';
export { metaKeys, modernMetaPrefix } from './meta-keys.js';
export {
  type ErrorResponse,
  McpError,
  type McpErrorOptions,
  behalfErrorCodes,
  errorResponse,
  mcpErrorCodes,
} from './mcp-error.js';
export {
  type Json,
  type McpMessage,
  type McpNotification,
  type McpRequest,
  type McpResponse,
  type RequestId,
  echoableId,
  isJsonObject,
  metaOf,
  parseMessage,
  serializeMessage,
  withMeta,
} from './mcp-message.js';
export {
  type DecidedOn,
  type ListDescription,
  type McpMethod,
  cacheableMethods,
  describeMethod,
  filteredLists,
} from './mcp-methods.js';
export { type Classified, type Era, classifyEra } from './classify-era.js';
export { showsUrls } from './shows-urls.js';
export { mayAskForInput } from './denial-remedy.js';
export { decodeHeaderValue, encodeHeaderValue } from './decode-header-value.js';
export { type HeaderReader, checkHeaderAgreement } from './check-header-agreement.js';
export { type ParamHeader, checkParamHeaders, paramHeadersOf } from './param-headers.js';
export { type Caller, buildEvaluation, buildListEvaluation, namedThing } from './build-evaluation.js';
export { type ListedItems, listedItems, markPrivate, withAllowedItems } from './listed-items.js';
export {
  type InitializeResult,
  sharedCapabilities,
  toDiscoverResult,
  toLegacyRequest,
  toModernError,
  toModernResult,
} from './bridge-eras.js';
export { deniedError, deniedToolResult } from './denied-result.js';
export {
  type DenialRemedy,
  approvalInputRequest,
  remediableError,
  remediableToolResult,
  withoutApprovalInput,
} from './denial-remedy.js';
