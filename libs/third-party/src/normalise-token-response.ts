import { z } from 'zod';
import type { OutboundReply } from './http.js';
import type { Quirks } from './provider.js';
import { UnusableReply } from './provider-failure.js';

/** What providers call the errors that RFC 6749 §5.2 has names for. */
const synonyms: Readonly<Record<string, string>> = {
  // GitHub
  bad_refresh_token: 'invalid_grant',
  bad_verification_code: 'invalid_grant',
  incorrect_client_credentials: 'invalid_client',
  redirect_uri_mismatch: 'invalid_request',
  // Slack
  invalid_refresh_token: 'invalid_grant',
  token_revoked: 'invalid_grant',
  token_expired: 'invalid_grant',
  account_inactive: 'invalid_grant',
  invalid_code: 'invalid_grant',
  code_already_used: 'invalid_grant',
  bad_client_secret: 'invalid_client',
  invalid_client_id: 'invalid_client',
  ratelimited: 'slow_down',
  // HubSpot
  BAD_REFRESH_TOKEN: 'invalid_grant',
  BAD_AUTH_CODE: 'invalid_grant',
  BAD_CLIENT_ID: 'invalid_client',
  BAD_CLIENT_SECRET: 'invalid_client',
};

const json = z.record(z.string(), z.unknown());

/**
 * A token response as RFC 6749 §5 wants it, from what providers really send: errors under status 200, forms instead of
 * JSON, numbers as text, scopes with commas or as a list, the tokens of the person one level down, no `token_type`.
 *
 * Does not judge whether the result is a good response: a strict client does that next.
 *
 * @throws UnusableReply when there is neither a token nor an OAuth error in it
 */
export function normaliseTokenResponse(
  reply: OutboundReply,
  quirks: Pick<Quirks, 'tokenMember'>,
  keepIdToken: boolean,
): Response {
  const body = parseBody(reply);
  const isSuccess = reply.status >= 200 && reply.status < 300;
  const error = errorIn(body, isSuccess);
  if (error !== undefined) return Response.json({ error }, { status: 400 });
  if (!isSuccess || body === undefined) throw new UnusableReply(reply.status, retryAfter(reply));
  const member = quirks.tokenMember === undefined ? undefined : json.safeParse(body[quirks.tokenMember]);
  // Never both: the tokens beside it are of another, such as the bot of a workspace.
  const found = member?.success ? member.data : body;
  return Response.json(
    withoutAbsent({
      access_token: found['access_token'],
      token_type: tokenType(found['token_type'], member !== undefined),
      expires_in: positiveNumber(found['expires_in']),
      refresh_token: found['refresh_token'] === '' ? undefined : found['refresh_token'],
      scope: scopeText(found['scope']),
      id_token: keepIdToken ? found['id_token'] : undefined,
    }),
  );
}

/** In seconds; dates are left to whoever waits by a rule of their own. @see RFC 9110 §10.2.3 */
export function retryAfter({ headers }: OutboundReply): number | undefined {
  const text = headers['retry-after'];
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function parseBody({ headers, body }: OutboundReply): Record<string, unknown> | undefined {
  const text = Buffer.from(body).toString();
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    return json.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** `{ok: false, error}` is how Slack says it, `{status: CODE}` how HubSpot does. */
function errorIn(body: Record<string, unknown> | undefined, isSuccess: boolean): string | undefined {
  const found = body?.['error'] ?? (isSuccess ? undefined : body?.['status']);
  if (typeof found === 'string') return synonyms[found] ?? found;
  return body?.['ok'] === false ? 'invalid_request' : undefined;
}

/** Where it names the kind of account instead of the kind of token, it is a bearer token. */
function tokenType(value: unknown, namesAccount: boolean): unknown {
  return value === undefined || value === null || namesAccount ? 'bearer' : value;
}

function positiveNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? Math.floor(number) : undefined;
}

function scopeText(value: unknown): unknown {
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'string' ? splitScopes(value).join(' ') || undefined : undefined;
}

/** RFC 6749 says a space; GitHub and Slack say a comma. No scope has one inside. */
export function splitScopes(text: string): string[] {
  return text.split(/[ ,]+/).filter((scope) => scope !== '');
}

function withoutAbsent(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  );
}
