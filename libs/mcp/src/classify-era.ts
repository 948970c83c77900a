import { McpError, mcpErrorCodes } from './mcp-error.js';
import { type McpMessage, isJsonObject, metaOf } from './mcp-message.js';
import { metaKeys } from './meta-keys.js';
import {
  assumedLegacyVersion,
  isModernVersion,
  legacyVersions,
  modernVersions,
} from './protocol-versions.js';

export type Era = 'modern' | 'legacy';

export interface Classified {
  era: Era;
  /** The revision the message speaks. */
  version: string;
}

/**
 * Decides which era a message belongs to. The body decides; the header only has to agree with it, so that nobody gets
 * the lenient rules of one era for a message of the other by editing a header.
 *
 * @param versionHeader the value of `MCP-Protocol-Version`
 * @throws McpError (400) -32602 for an incomplete envelope, -32020 when header and body disagree or the header is
 *   missing, -32022 for a revision that is not served
 * @see MCP 2026-07-28, basic/versioning and basic/transports/streamable-http
 */
export function classifyEra(message: McpMessage, versionHeader: string | undefined): Classified {
  const claimed = message.kind === 'response' ? undefined : metaOf(message)[metaKeys.protocolVersion];
  if (claimed !== undefined) return classifyEnvelope(message, claimed, versionHeader);
  if (versionHeader !== undefined && isModernVersion(versionHeader)) {
    if (message.kind === 'request' && message.method === 'initialize')
      throw mismatch('initialize belongs to earlier revisions than the one the header names');
    if (message.kind === 'notification') return { era: 'modern', version: checkModern(versionHeader) };
    throw invalidEnvelope(`params._meta lacks ${metaKeys.protocolVersion}`);
  }
  if (versionHeader !== undefined && !legacyVersions.some((version) => version === versionHeader))
    throw unsupportedVersion(versionHeader, [...modernVersions, ...legacyVersions]);
  return { era: 'legacy', version: versionHeader ?? assumedLegacyVersion };
}

function classifyEnvelope(
  message: McpMessage,
  claimed: unknown,
  versionHeader: string | undefined,
): Classified {
  if (message.kind === 'response') throw invalidEnvelope('responses carry no envelope');
  if (typeof claimed !== 'string') throw invalidEnvelope(`${metaKeys.protocolVersion} must be a string`);
  const meta = metaOf(message);
  if (message.kind === 'request') {
    if (!isJsonObject(meta[metaKeys.clientCapabilities]))
      throw invalidEnvelope(`params._meta lacks ${metaKeys.clientCapabilities}`);
    if (versionHeader === undefined) throw mismatch('the MCP-Protocol-Version header is missing');
  }
  if (versionHeader !== undefined && versionHeader !== claimed)
    throw mismatch('MCP-Protocol-Version and params._meta name different revisions');
  return { era: 'modern', version: checkModern(claimed) };
}

function checkModern(version: string): string {
  if (!modernVersions.some((served) => served === version)) throw unsupportedVersion(version, modernVersions);
  return version;
}

/** To a modern request the versions are those of `server/discover`: what a request may name, not what a handshake may. */
function unsupportedVersion(requested: string, supported: readonly string[]): McpError {
  return new McpError(mcpErrorCodes.unsupportedProtocolVersion, 'Unsupported protocol version', {
    status: 400,
    data: { supported: [...supported], requested },
  });
}

function mismatch(reason: string): McpError {
  return new McpError(mcpErrorCodes.headerMismatch, `Header mismatch: ${reason}`, { status: 400 });
}

function invalidEnvelope(reason: string): McpError {
  return new McpError(mcpErrorCodes.invalidParams, `Invalid params: ${reason}`, { status: 400 });
}
