import type {
  CallToolResult,
  ClientCapabilities,
  InputRequiredResult,
  McpServer,
  ServerContext,
} from '@modelcontextprotocol/server';
import type { ThirdParty } from './third-party.js';
import { ThirdPartyTokenError } from './third-party-token-error.js';
import { declinedInWords, linkInWords, refusedInWords } from './tool-results.js';

/** The key of our request among the inputs of a call: none of the gateway's own, which begin with `behalf/`. */
const inputKey = 'third-party-account';
const clientCapabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';
const waitSeconds = 20;

export type ToolWithToken<Args, Context, Result> = (
  args: Args,
  context: Context,
  accessToken: string,
) => Result | Promise<Result>;

/**
 * A tool of an `McpServer` of `@modelcontextprotocol/server` (v2) that runs with a third party's token. Where the person
 * has to be asked, the client gets what it can show: an input request in the stateless era, which the SDK turns into a
 * pushed request for clients with a session, or words with a link.
 *
 * @throws ThirdPartyTokenError when something is broken that neither the person nor the model can mend
 */
export function toolV2<Args = Record<string, never>>(
  thirdParty: ThirdParty,
  server: McpServer,
  name: string,
  run: ToolWithToken<Args, ServerContext, CallToolResult | InputRequiredResult>,
) {
  return async (
    ...parameters: [Args, ServerContext] | [ServerContext]
  ): Promise<CallToolResult | InputRequiredResult> => {
    const context = parameters.at(-1) as ServerContext;
    const args = (parameters.length > 1 ? parameters[0] : {}) as Args;
    const { requestState, inputResponses, signal } = context.mcpReq;
    const state = requestState<string>();
    const answer = inputResponses?.[inputKey] as { action?: unknown } | undefined;
    if (answer !== undefined && answer.action !== 'accept') return declinedInWords();
    try {
      const token = await thirdParty.tokenFor({
        subjectToken: context.http?.authInfo?.token ?? '',
        request: { method: 'tools/call', name, arguments: args },
        requestState: state,
        waitSeconds: state === undefined ? 0 : waitSeconds,
        signal,
      });
      if (token.kind === 'token') return await run(args, context, token.accessToken);
      if (!canShowUrls(context, server)) return linkInWords(token);
      const { url, message } = token;
      const params = { mode: 'url', url, message };
      // Once they have the link they are not shown it again: from then on the client only asks how far they are.
      const inputRequests = { [inputKey]: { method: 'elicitation/create', params } };
      return {
        resultType: 'input_required',
        ...(state === undefined && { inputRequests }),
        requestState: token.requestState,
      } as InputRequiredResult;
    } catch (error) {
      const refused = error instanceof ThirdPartyTokenError ? refusedInWords(error) : undefined;
      if (refused) return refused;
      throw error;
    }
  };
}

/** Told with each request in the stateless era, once for a session in the one before, and not at all without one. */
function canShowUrls({ mcpReq }: ServerContext, server: McpServer): boolean {
  const envelope = mcpReq.envelope as Partial<Record<string, ClientCapabilities>> | undefined;
  const capabilities = envelope ? envelope[clientCapabilitiesKey] : server.server.getClientCapabilities();
  return capabilities?.elicitation?.url !== undefined;
}
