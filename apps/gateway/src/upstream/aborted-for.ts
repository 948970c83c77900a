import { McpError } from '@behalf/mcp';

/** Why a signal ended the work, when it says so: a caller who is still there is told. */
export function abortedFor(signal: AbortSignal): McpError | undefined {
  return signal.aborted && signal.reason instanceof McpError ? signal.reason : undefined;
}
