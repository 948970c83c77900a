import type { IncomingMessage } from 'node:http';

/** The first cookie of this name; undefined when there is none. */
export function readCookie(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  const value = pairs
    .find(([key]) => key === name)
    ?.slice(1)
    .join('=');
  return value === undefined ? undefined : decodeURIComponentOrNothing(value);
}

function decodeURIComponentOrNothing(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
