import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { CallToolResult, ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import type { InteractionRequired, ThirdParty, TokenRequest } from './third-party.js';
import { ThirdPartyTokenError } from './third-party-token-error.js';
import type { ToolWithToken } from './tool-v2.js';
import { declinedInWords, linkInWords, refusedInWords } from './tool-results.js';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

export interface ToolV1Options {
  /**
   * Asks on the stream of the request and holds it until the person is done. Needs a transport that answers with event
   * streams. Without it the client gets the error -32042 and repeats the request.
   */
  push?: boolean;
}

const waitSeconds = 20;

/**
 * A tool of an `McpServer` of `@modelcontextprotocol/sdk` (v1) that runs with a third party's token. A client that can
 * show URLs is asked by a pushed request or by the error -32042, and told when the person is done; any other one gets
 * words with a link.
 *
 * @throws UrlElicitationRequiredError of the SDK; ThirdPartyTokenError when something is broken
 * @see MCP 2025-11-25, client/elicitation
 */
export function toolV1<Args = Record<string, never>>(
  thirdParty: ThirdParty,
  server: McpServer,
  name: string,
  run: ToolWithToken<Args, Extra, CallToolResult>,
  { push = false }: ToolV1Options = {},
) {
  return async (...parameters: [Args, Extra] | [Extra]): Promise<CallToolResult> => {
    const extra = parameters.at(-1) as Extra;
    const args = (parameters.length > 1 ? parameters[0] : {}) as Args;
    const wanted: TokenRequest = {
      subjectToken: extra.authInfo?.token ?? '',
      request: { method: 'tools/call', name, arguments: args },
      signal: extra.signal,
    };
    try {
      const token = await thirdParty.tokenFor(wanted);
      if (token.kind === 'token') return await run(args, extra, token.accessToken);
      if (server.server.getClientCapabilities()?.elicitation?.url === undefined) return linkInWords(token);
      const { elicitationId, url, message } = token;
      const elicitation = { mode: 'url' as const, elicitationId, url, message };
      if (!push) {
        const { signal: _ends, ...later } = wanted;
        void tellWhenDone(thirdParty, server, later, token);
        // Only who uses this line of the SDK has it installed.
        const { UrlElicitationRequiredError } = await import('@modelcontextprotocol/sdk/types.js');
        throw new UrlElicitationRequiredError([elicitation]);
      }
      const { action } = await server.server.elicitInput(elicitation, {
        relatedRequestId: extra.requestId,
        timeout: token.expiresInSeconds * 1000,
      });
      if (action !== 'accept') return declinedInWords();
      const accessToken = await waitForToken(thirdParty, wanted, token);
      if (accessToken === undefined) return linkInWords(token);
      await server.server.createElicitationCompletionNotifier(elicitationId, {
        relatedRequestId: extra.requestId,
      })();
      return await run(args, extra, accessToken);
    } catch (error) {
      const refused = error instanceof ThirdPartyTokenError ? refusedInWords(error) : undefined;
      if (refused) return refused;
      throw error;
    }
  };
}

/** The client repeats its request by itself once it hears of it; if it does not, nothing is lost. */
async function tellWhenDone(
  thirdParty: ThirdParty,
  server: McpServer,
  wanted: TokenRequest,
  interaction: InteractionRequired,
): Promise<void> {
  try {
    if ((await waitForToken(thirdParty, wanted, interaction)) === undefined) return;
    await server.server.createElicitationCompletionNotifier(interaction.elicitationId)();
  } catch {
    // The session has ended, or the person declined: there is nobody to tell.
  }
}

/** Undefined when the person did not finish in time. */
async function waitForToken(
  thirdParty: ThirdParty,
  wanted: TokenRequest,
  { requestState, expiresInSeconds, intervalSeconds }: InteractionRequired,
): Promise<string | undefined> {
  const deadline = Date.now() + expiresInSeconds * 1000;
  for (let waited = Date.now(); waited < deadline; waited = Date.now()) {
    const answer = await thirdParty.tokenFor({ ...wanted, requestState, waitSeconds });
    if (answer.kind === 'token') return answer.accessToken;
    // A server that does not wait for the person is not asked in a busy loop.
    const pauseMs = intervalSeconds * 1000 - (Date.now() - waited);
    if (pauseMs > 0) await new Promise((resolve) => void setTimeout(resolve, pauseMs).unref());
  }
  return undefined;
}
