import { McpServer } from '@modelcontextprotocol/server';
import type { SeenToken } from '../verify-access-token.js';

/** An MCP server that shows on-behalf-of: its tool `whoami` answers with what the token it was called with says. */
export function whoamiServer(seen: SeenToken): McpServer {
  const server = new McpServer({ name: 'whoami', version: '1.0.0' });
  server.registerTool(
    'whoami',
    {
      title: 'Who am I?',
      description:
        'Tells who this server believes is calling, and on whose behalf, from the token it was given.',
      annotations: { readOnlyHint: true },
    },
    () => {
      const { sub, act, aud, scope, client_id, txn, cnf } = seen;
      const answer = {
        sub,
        act,
        aud,
        scope,
        client_id,
        ...(txn !== undefined && { txn }),
        ...(cnf && { cnf }),
      };
      return {
        content: [{ type: 'text', text: JSON.stringify(answer, null, 2) }],
        structuredContent: answer,
      };
    },
  );
  return server;
}
