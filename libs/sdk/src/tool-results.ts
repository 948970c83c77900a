import type { InteractionRequired } from './third-party.js';
import type { ThirdPartyTokenError } from './third-party-token-error.js';

/** A tool result that both lines of the SDK take. */
export interface WordsResult {
  [member: string]: unknown;
  isError: true;
  content: { type: 'text'; text: string }[];
  _meta?: Record<string, unknown>;
}

/** For clients that cannot open links themselves: words with the link, which the model passes on. */
export function linkInWords({
  elicitationId,
  url,
  message,
  expiresInSeconds,
}: InteractionRequired): WordsResult {
  const minutes = Math.max(1, Math.floor(expiresInSeconds / 60));
  return {
    ...words(`${message} ${url} (for ${minutes} minutes). Then repeat exactly the same call.`),
    _meta: { 'behalf/elicitation': { id: elicitationId, url } },
  };
}

export function declinedInWords(): WordsResult {
  return words('The person did not agree. Do not ask again unless they want you to.');
}

/** A refusal that the model should know of; what is broken is thrown instead. */
export function refusedInWords(error: ThirdPartyTokenError): WordsResult | undefined {
  if (error.code === 'access_denied') return declinedInWords();
  if (error.code === 'invalid_target' || error.code === 'invalid_scope')
    return words('This is not allowed here: no token for the third party was issued.');
  if (error.code === 'temporarily_unavailable')
    return words('The third party cannot be reached at the moment. Try again in a minute.');
  return undefined;
}

function words(text: string): WordsResult {
  return { isError: true, content: [{ type: 'text', text }] };
}
