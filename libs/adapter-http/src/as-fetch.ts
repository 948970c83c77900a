import type { GuardedFetch } from './guarded-fetch.js';

/**
 * A guarded fetch in the shape of the platform's, for libraries that take a `fetch`. GET only; of the options it heeds
 * `method` and `signal`, and it sends none of the caller's headers.
 *
 * @throws TypeError for another method; GuardedFetchError where the platform's fetch would answer with another status
 */
export function asFetch(guarded: GuardedFetch): typeof globalThis.fetch {
  return async (input, options = {}) => {
    const asked = input instanceof Request ? input : { url: String(input), method: 'GET', signal: undefined };
    const method = options.method ?? asked.method;
    if (method.toUpperCase() !== 'GET') throw new TypeError('a guarded fetch can only GET');
    const { status, headers, body } = await guarded(asked.url, { signal: options.signal ?? asked.signal });
    return new Response(Uint8Array.from(body), { status, headers });
  };
}
