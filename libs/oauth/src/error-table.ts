import { oauthErrorCodes } from './oauth-error.js';

/** Every error code, as Markdown: `docs/errors.md` is this text, and a test holds the two together. */
export function errorTable(): string {
  return [
    '# Errors',
    '',
    'Every error leaves as `{"error": code, "error_description": text}` with `Cache-Control: no-store`. The code is what a program',
    'branches on; the description is for people, in ASCII, and never holds part of a token. Where waiting helps there is a',
    '`Retry-After`. The precise reason of a refused exchange or decision is in the audit log, not in the answer. The gateway',
    'wraps what it says to MCP clients in JSON-RPC; see [gateway.md](gateway.md). Generated from the code by `npm run docs`.',
    '',
    '| code | HTTP status | means | defined in |',
    '| --- | --- | --- | --- |',
    ...Object.entries(oauthErrorCodes).map(
      ([code, { status, means, see }]) => `| \`${code}\` | ${status} | ${means} | ${see} |`,
    ),
    '',
  ].join('\n');
}
