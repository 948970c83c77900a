/**
 * For MCP servers: a third party's token, on behalf of whoever calls, with the official SDK of either line. Stands on
 * its own: nothing of the rest of Behalf is needed where it runs.
 */
export {
  type InteractionRequired,
  ThirdParty,
  type ThirdPartyOptions,
  type ThirdPartyToken,
  type TokenRequest,
} from './third-party.js';
export { type McpRequestToName, requestDigest } from './request-digest.js';
export { ThirdPartyTokenError } from './third-party-token-error.js';
export { toolV1, type ToolV1Options } from './tool-v1.js';
export { type ToolWithToken, toolV2 } from './tool-v2.js';
