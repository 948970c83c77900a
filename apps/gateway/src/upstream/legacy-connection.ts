import type { InitializeResult, Json, McpNotification, McpResponse } from '@behalf/mcp';
import { z } from 'zod';

/** One call over a connection that speaks a revision of the legacy era. */
export interface LegacyCall {
  method: string;
  params: Json | undefined;
  /** Progress of this call, under the caller's own progress token. */
  onNotification: (notification: McpNotification) => void;
  signal: AbortSignal;
  /** Headers of this call alone. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** A connection on which the handshake has been done; ids and progress tokens of callers cannot meet on it. */
export interface LegacyConnection {
  readonly server: InitializeResult;
  /** @throws McpError when the server went away, stayed silent or sent what cannot be read */
  request(call: LegacyCall): Promise<McpResponse['body']>;
}

export const initializeResultSchema: z.ZodType<InitializeResult> = z.object({
  protocolVersion: z.string(),
  capabilities: z.record(z.string(), z.unknown()),
  serverInfo: z.record(z.string(), z.unknown()),
  instructions: z.string().optional(),
});

/**
 * What we say of ourselves. No capabilities: many callers share what is behind, so the server can ask nobody in
 * particular for anything.
 */
export const initializeParams = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'behalf-gateway', version: '0.1.0' },
};
