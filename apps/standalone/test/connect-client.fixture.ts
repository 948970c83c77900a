import * as v2 from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { MemoryOAuthProvider } from './memory-oauth-provider.fixture.js';

const clientInfo = { name: 'behalf-test', version: '1.0.0' };

/** A connected client of either generation, with just enough of it to test with. */
export interface ConnectedClient {
  listTools(): Promise<string[]>;
  /** Calls a tool. A step-up that the server asks for is done once, as an application would do it. */
  callTool(name: string, args?: Record<string, unknown>): Promise<ToolResult>;
  /** How often the server told of its progress during a call. */
  countProgress(name: string, args: Record<string, unknown>): Promise<number>;
  protocolVersion: string | undefined;
  close(): Promise<void>;
}

export interface ToolResult {
  isError: boolean;
  text: string;
}

export type Connect = (url: string, provider: MemoryOAuthProvider) => Promise<ConnectedClient>;

/** `@modelcontextprotocol/sdk` 1.x. */
export const connectV1: Connect = async (url, provider) => {
  const connect = async () => {
    const client = new ClientV1(clientInfo);
    const transport = new TransportV1(new URL(url), { authProvider: provider });
    try {
      await client.connect(transport);
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await transport.finishAuth(provider.takeCallback().get('code') ?? '');
      return undefined;
    }
    return { client, transport };
  };
  const connected = (await connect()) ?? (await connect());
  if (!connected) throw new Error('authorized, and yet unauthorized');
  const { client, transport } = connected;
  const call = async (name: string, args: Record<string, unknown>) =>
    toToolResult(await client.callTool({ name, arguments: args }));
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    callTool: async (name, args = {}) => {
      try {
        return await call(name, args);
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error;
        await transport.finishAuth(provider.takeCallback().get('code') ?? '');
        return call(name, args);
      }
    },
    countProgress: async (name, args) => {
      let count = 0;
      const onprogress = () => (count += 1);
      await client.callTool({ name, arguments: args }, undefined, { onprogress });
      return count;
    },
    protocolVersion: transport.protocolVersion,
    close: () => client.close(),
  };
};

/** `@modelcontextprotocol/client` 2.x, negotiating as asked. */
export const connectV2 =
  (mode: 'legacy' | 'auto' | { pin: string }): Connect =>
  async (url, provider) => {
    const connect = async () => {
      const client = new v2.Client(clientInfo, { versionNegotiation: { mode } });
      const transport = new v2.StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
      try {
        await client.connect(transport);
      } catch (error) {
        if (!(error instanceof v2.UnauthorizedError)) throw error;
        await transport.finishAuth(provider.takeCallback());
        return undefined;
      }
      return { client, transport };
    };
    const connected = (await connect()) ?? (await connect());
    if (!connected) throw new Error('authorized, and yet unauthorized');
    const { client, transport } = connected;
    const call = async (name: string, args: Record<string, unknown>) =>
      toToolResult(await client.callTool({ name, arguments: args }));
    return {
      listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
      callTool: async (name, args = {}) => {
        try {
          return await call(name, args);
        } catch (error) {
          if (!(error instanceof v2.UnauthorizedError)) throw error;
          await transport.finishAuth(provider.takeCallback());
          return call(name, args);
        }
      },
      countProgress: async (name, args) => {
        let count = 0;
        const onprogress = () => (count += 1);
        await client.callTool({ name, arguments: args }, { onprogress });
        return count;
      },
      protocolVersion: client.getNegotiatedProtocolVersion(),
      close: () => client.close(),
    };
  };

function toToolResult(result: unknown): ToolResult {
  const { isError, content } = result as { isError?: boolean; content: { type: string; text?: string }[] };
  return { isError: isError === true, text: content.map(({ text }) => text ?? '').join('\n') };
}
