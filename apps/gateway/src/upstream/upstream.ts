import type { Json, McpMessage, McpMethod } from '@behalf/mcp';
import type { AccessTokenClaims } from '@behalf/resource-server';
import type { IncomingHttpHeaders } from 'node:http';
import type { McpAnswer } from '../http/mcp-answer.js';

/** One message that may be passed on: the token is verified, the policy has permitted it. */
export interface Exchange {
  /** The name of the upstream. */
  server: string;
  message: McpMessage;
  era: 'modern' | 'legacy';
  method: McpMethod | undefined;
  caller: AccessTokenClaims;
  /** What is exchanged for the upstream's token. It is never sent to the upstream itself. */
  callerToken: string;
  /** The DPoP proof that it came with, when it is bound to a key. */
  callerProof: string | undefined;
  headers: IncomingHttpHeaders;
  /** Fires when the client has gone, or the gateway is closing. */
  signal: AbortSignal;
  /** What goes to the server besides, and to nobody else: a token of a third party, in its header. */
  injected?: Readonly<Record<string, string>> | undefined;
  /** Fields that must not leave with anything the server says about this message; none on streams of sessions. */
  redact: readonly string[];
  /** Leaves of the lists in a result what the caller may see. @throws McpError when that cannot be decided */
  filterResult: (result: Json) => Promise<Json>;
}

/** A stream or the end of a session of the legacy era: a request without a message. */
export type SessionExchange = Omit<Exchange, 'message' | 'era' | 'method'> & { httpMethod: 'GET' | 'DELETE' };

/** A server behind the gateway, however it is reached. */
export interface Upstream {
  start(): void;
  /** Passes a message on and answers with what comes back. @throws McpError when there is no answer to give */
  handle(exchange: Exchange, answer: McpAnswer): Promise<void>;
  /** @throws McpError 405 when the upstream has no sessions */
  handleSession(exchange: SessionExchange, answer: McpAnswer): Promise<void>;
  /**
   * Resolves when it is known what its tools are, as far as that can be known before a client lists them, or after a
   * bounded wait: a call that is decided before would be decided, and approved, as a call of something else.
   */
  whenDescribed(): Promise<void>;
  /** What it still waits for before it can be used for the first time. */
  waitingFor(): string[];
  close(): Promise<void>;
}
