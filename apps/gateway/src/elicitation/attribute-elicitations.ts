import { type Json, isJsonObject, mcpErrorCodes } from '@behalf/mcp';
import { visibleText } from '@behalf/pages';
import { shownStatePrefix } from './bridged-elicitations.js';
import { elicitedStatePrefix } from './elicited-request.js';
import { unreadableAnswer } from '../upstream/upstream-answer.js';

/** Names of the gateway's own inputs begin so; no server behind it has any. */
const ownKeys = 'behalf/';
const ownStates = [elicitedStatePrefix, shownStatePrefix];
const maxUrlLength = 2_048;
const maxElicitations = 10;

/**
 * What a server behind the gateway wants its person to open, with the server and the origin named in front of its words:
 * whatever it says there, it does not say it as the gateway. The URL itself stays as it is. Everything else passes
 * untouched, forms included.
 *
 * Does not say that the URL is a good one: that is for the person, who is shown where it leads.
 *
 * @throws McpError 502 for a URL that hides where it leads or is none of the web, and for inputs named like our own
 */
export function attributeElicitations(message: Json, server: string): Json {
  if (message['method'] === 'elicitation/create')
    return { ...message, params: attributed(message['params'], server) };
  const { error, result } = message;
  const elicitations = isJsonObject(error) ? requiredBy(error, server) : undefined;
  if (elicitations && isJsonObject(error)) return { ...message, error: { ...error, data: { elicitations } } };
  if (isJsonObject(result) && result['resultType'] === 'input_required')
    return { ...message, result: attributedResult(result, server) };
  return message;
}

/** The attributed elicitations of a -32042 error; undefined for every other error. @throws McpError 502 */
export function requiredBy(error: Json, server: string): Json[] | undefined {
  if (error['code'] !== mcpErrorCodes.legacyUrlElicitationRequired) return undefined;
  const elicitations = isJsonObject(error['data']) ? error['data']['elicitations'] : undefined;
  if (!Array.isArray(elicitations) || elicitations.length === 0 || elicitations.length > maxElicitations)
    throw unreadableAnswer('-32042 without elicitations');
  return elicitations.map((one: unknown) => {
    if (!isJsonObject(one) || one['mode'] !== 'url') throw unreadableAnswer('-32042 for no URL');
    return attributed(one, server);
  });
}

function attributedResult(result: Json, server: string): Json {
  const { inputRequests, requestState } = result;
  // The attack: what comes back under our name would be taken for the answer to a question of ours.
  if (typeof requestState === 'string' && ownStates.some((prefix) => requestState.startsWith(prefix)))
    throw unreadableAnswer('a state named like one of the gateway');
  if (!isJsonObject(inputRequests)) return result;
  const entries = Object.entries(inputRequests).map(([key, request]): [string, unknown] => {
    if (key.startsWith(ownKeys)) throw unreadableAnswer('an input named like one of the gateway');
    if (!isJsonObject(request) || request['method'] !== 'elicitation/create') return [key, request];
    return [key, { ...request, params: attributed(request['params'], server) }];
  });
  return { ...result, inputRequests: Object.fromEntries(entries) };
}

function attributed(params: unknown, server: string): Json {
  if (!isJsonObject(params)) throw unreadableAnswer('an elicitation without parameters');
  if (params['mode'] !== 'url') return params;
  const { origin } = readLink(params['url']);
  const message = typeof params['message'] === 'string' ? visibleText(params['message']) : '';
  return { ...params, message: `The server "${server}" asks you to open ${origin}: ${message}` };
}

function readLink(url: unknown): URL {
  const link = typeof url === 'string' && url.length <= maxUrlLength ? URL.parse(url) : null;
  // `https://behalf.example@elsewhere.example` reads like the one and leads to the other.
  const isPlain = link && /^https?:$/.test(link.protocol) && link.username === '' && link.password === '';
  if (!isPlain) throw unreadableAnswer('an elicitation without a link that can be shown');
  return link;
}
