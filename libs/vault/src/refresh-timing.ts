import type { Provider } from '@behalf/third-party';
import type { ConnectionRecord } from './connection.js';

/** Refreshed this long before its end at the latest, so that a token outlives the call it is handed out for. */
const maxAheadMs = 5 * 60 * 1000;
/** Of a token's life: short-lived ones are not refreshed all the time. */
const aheadShare = 0.2;
/** What is left of a token's life must outlast the way to the third party. */
const usableMarginMs = 5_000;

const firstBackoffMs = 1_000;
const longestBackoffMs = 5 * 60 * 1000;
/** What waiting alone does not mend: an operator has to look. */
const misconfiguredBackoffMs = 60_000;

/** The longest that one request for new tokens may take where nothing presses. */
export const longestRequestMs = 20_000;
/** How often a request whose answer was lost is made again, before others get their turn. */
export const maxRequests = 3;

/** Still good for a call. */
export function isUsable({ accessTokenExpiresAtMs }: ConnectionRecord, nowMs: number): boolean {
  return accessTokenExpiresAtMs === undefined || accessTokenExpiresAtMs - usableMarginMs > nowMs;
}

export function isRefreshDue(record: ConnectionRecord, nowMs: number): boolean {
  const { accessTokenExpiresAtMs: end, credentialSinceMs, isRefreshable } = record;
  if (!isRefreshable || end === undefined) return false;
  return (
    nowMs >= end - Math.max(usableMarginMs, Math.min(maxAheadMs, (end - credentialSinceMs) * aheadShare))
  );
}

/** For how long a refresh token that was used may be sent again, to get an answer that was lost. */
export function graceMs(provider: Provider): number {
  if (provider.kind === 'static') return 0;
  const { refreshTokens, refreshGraceSeconds } = provider.quirks;
  return refreshTokens === 'lasting' ? Infinity : refreshGraceSeconds * 1000;
}

/**
 * How long to wait for one answer. Where a used refresh token is answered for a while, so short that it can be sent
 * again within it; where it never is, as long as possible, for what is late is not lost.
 */
export function requestTimeoutMs(provider: Provider): number {
  const grace = graceMs(provider);
  return grace === 0
    ? longestRequestMs
    : Math.min(longestRequestMs, Math.max(1_000, Math.floor(grace / maxRequests)));
}

/** Doubles with each failure, and no two wait the same time. */
export function backoffMs(failures: number, random: number): number {
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(failures, 20)) * (0.5 + random / 2);
}

export function misconfiguredMs(random: number): number {
  return misconfiguredBackoffMs * (1 + random);
}
