import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ProviderWebhook } from './provider-webhook.js';
import { asAccountId, readMember } from './read-member.js';

/** How old a signed time may be. */
const maxAgeSeconds = 300;

export class WebhookRefused extends Error {
  override readonly name = 'WebhookRefused';
  constructor(
    readonly reason: 'not_signed' | 'too_old' | 'malformed',
    options?: ErrorOptions,
  ) {
    super(`webhook refused: ${reason}`, options);
  }
}

export interface WebhookMessage {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it came: what is signed are bytes. */
  readonly body: Uint8Array;
}

export interface ProviderEvent {
  /** Accounts whose grants are over; none when the event is about something else. */
  readonly accounts: readonly string[];
  readonly deliveryId: string | undefined;
  /** What the provider wants to hear. */
  readonly challenge?: string | undefined;
}

/**
 * What a provider tells, if it is the provider who tells it. Nothing of the body is read before its signature is good.
 *
 * Does not know whether it was delivered before: `deliveryId` is for that, where there is one. It is not signed by most
 * providers, so it keeps out what is sent twice, and not who has a signed message and sends it under another id.
 *
 * @throws WebhookRefused
 */
export function readWebhook(
  { headers, body }: WebhookMessage,
  webhook: ProviderWebhook,
  nowMs: number,
): ProviderEvent {
  checkSignature({ headers, body }, webhook, nowMs);
  const { revoked, account, deliveryHeader, challenge } = webhook;
  const deliveryId = deliveryHeader === undefined ? undefined : single(headers[deliveryHeader]);
  if (deliveryHeader !== undefined && (deliveryId === undefined || deliveryId.length > 200))
    throw new WebhookRefused('malformed');
  const document = parse(body);
  const isRevoked =
    Object.entries(revoked.headers).every(([name, value]) => single(headers[name]) === value) &&
    Object.entries(revoked.body).every(([path, value]) => readMember(document, path) === value);
  if (!isRevoked) {
    const wanted = challenge === undefined ? undefined : readMember(document, challenge);
    return { accounts: [], deliveryId, ...(typeof wanted === 'string' && { challenge: wanted }) };
  }
  const accounts = [readMember(document, account)].flat().map(asAccountId);
  // It says that something ended, and not what: that must not pass for done.
  if (accounts.length === 0 || accounts.includes(undefined)) throw new WebhookRefused('malformed');
  return { accounts: accounts as string[], deliveryId };
}

function checkSignature(
  { headers, body }: WebhookMessage,
  { secret, signature }: ProviderWebhook,
  nowMs: number,
): void {
  const { header, algorithm, encoding, prefix, signedPrefix, timestampHeader } = signature;
  const timestamp = timestampHeader === undefined ? '' : (single(headers[timestampHeader]) ?? '');
  const given = single(headers[header]) ?? '';
  const expected = createHmac(algorithm, secret)
    .update(signedPrefix.replace('{timestamp}', timestamp))
    .update(body)
    .digest();
  const presented = Buffer.from(given.slice(prefix.length), encoding);
  const isGood =
    given.startsWith(prefix) && presented.length === expected.length && timingSafeEqual(presented, expected);
  if (!isGood) throw new WebhookRefused('not_signed');
  if (timestampHeader === undefined) return;
  const isNow = /^\d{1,12}$/.test(timestamp) && Math.abs(nowMs / 1000 - Number(timestamp)) <= maxAgeSeconds;
  if (!isNow) throw new WebhookRefused('too_old');
}

/** Of two values another program may have looked at the other one. */
function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch (cause) {
    throw new WebhookRefused('malformed', { cause });
  }
}
