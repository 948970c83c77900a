import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AuditRecord } from '@behalf/audit';
import type { ProviderHolder } from '../src/provider-holder.js';
import { PROVIDER_HOLDER } from '../src/tokens.js';
import type { TestServer } from './test-server.js';

/** A token request. A list is a parameter that comes so often. */
export interface TokenRequest {
  form: Record<string, string | string[] | undefined>;
  headers?: Record<string, string | undefined>;
}

/** In one piece whose length is told; else the library is the one that reads the request. */
export type Way = 'short' | 'library';

/** Sends token requests so that they are served with the library or, where they can be, without it. */
export class BothWays {
  #servedByLibrary = 0;

  constructor(private readonly server: TestServer) {
    const holder = server.service.app.get<ProviderHolder>(PROVIDER_HOLDER);
    for (const event of ['grant.success', 'grant.error'])
      holder.current.on(event as 'grant.success', () => (this.#servedByLibrary += 1));
  }

  get servedByLibrary(): number {
    return this.#servedByLibrary;
  }

  /** What can be compared of the answer; what was recorded; and how often the library answered. */
  async ask({ form, headers = {} }: TokenRequest, way: Way) {
    const pairs = Object.entries(form).flatMap(([name, value]) =>
      value === undefined ? [] : [value].flat().map((one) => [name, one]),
    );
    const body = new URLSearchParams(pairs).toString();
    const before = { served: this.#servedByLibrary, recorded: this.server.audit.length };
    const told =
      way === 'short'
        ? { 'content-length': String(Buffer.byteLength(body)) }
        : { 'transfer-encoding': 'chunked' };
    const all = { 'content-type': 'application/x-www-form-urlencoded', ...headers, ...told };
    const sent = request(`${this.server.issuer}/token`, {
      method: 'POST',
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const answer = JSON.parse(await text(response)) as Record<string, unknown>;
    return {
      answer: comparable(response.statusCode, response.headers, answer),
      records: this.server.audit.slice(before.recorded).map(withoutTime),
      servedByLibrary: this.#servedByLibrary - before.served,
    };
  }
}

/** Everything but what is another one each time. */
function comparable(
  status: number | undefined,
  headers: IncomingHttpHeaders,
  answer: Record<string, unknown>,
) {
  const { date: _date, 'keep-alive': _keep, 'dpop-nonce': _nonce, ...same } = headers;
  const { access_token: token, ...body } = answer;
  const compared: Record<string, unknown> = { ...body, token: typeof token };
  return { status, headers: { ...same, 'content-length': '' }, body: compared };
}

/** When it was and how long it took is different each time. */
function withoutTime({ occurredAtMs: _when, details = {}, ...record }: AuditRecord): object {
  const { tookMicros: _took, ...rest } = details;
  return { ...record, details: rest };
}
