import type { IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';

/** The library's limit. */
const maxBodyBytes = 56 * 1024;
const formType = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i;

/** What a form says. A name that comes twice has a list. */
export type Form = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Reads a form body and leaves it where it was, so that whoever comes next can read it again.
 *
 * @returns undefined for any body but a small form in UTF-8 whose length is told and which is here as a whole: then
 *   nothing was read
 */
export async function peekForm(request: IncomingMessage): Promise<Form | undefined> {
  const { 'content-type': type, 'content-length': length } = request.headers;
  if (!formType.test(type ?? '')) return undefined;
  const bytes = Number(length);
  if (!(bytes > 0 && bytes <= maxBodyBytes)) return undefined;
  if (request.readableLength < bytes) await somethingCame(request);
  const body = request.read(bytes) as Buffer | null;
  if (body?.length !== bytes) {
    if (body) request.unshift(body);
    return undefined;
  }
  // Before anything else runs: a stream that is empty at its end cannot be given anything back.
  request.unshift(body);
  // A byte order mark, with which some read a form in another way than others.
  if ((body[0] ?? 0) > 0x7f) return undefined;
  return parse(body.toString());
}

/** Resolves when there is something to read, or there will never be. */
function somethingCame(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      request.off('readable', done).off('close', done);
      resolve();
    };
    request.on('readable', done).on('close', done);
  });
}
