import type { OneTimeStore } from '@behalf/ports';
import { type JWTVerifyGetKey, jwtVerify } from 'jose';
import {
  type DecisionGrant,
  decisionGrantSchema,
  decisionGrantType,
  maxGrantSeconds,
} from './decision-grant.js';

/** How far the clocks of the two services may be apart. */
const clockToleranceSeconds = 5;

/** A decision grant is not one, is over, or was used. */
export class DecisionGrantRefused extends Error {
  override readonly name = 'DecisionGrantRefused';
  constructor(
    readonly reason: 'invalid' | 'used',
    options?: ErrorOptions,
  ) {
    super(`decision grant refused: ${reason}`, options);
  }
}

export interface VerifyDecisionGrantOptions {
  readonly issuer: string;
  readonly audience: string;
  /** The policy service's public keys. */
  readonly keys: JWTVerifyGetKey;
  readonly oneTime: OneTimeStore;
  readonly nowMs: number;
}

/**
 * What a decision grant permits: signed by the policy service for this vault, seconds old, and never seen before. It is
 * used up by this call, whatever comes of it.
 *
 * Does not look at whether anything matches what it permits.
 *
 * @throws DecisionGrantRefused, or what the one-time store throws when it cannot be asked
 */
export async function verifyDecisionGrant(
  token: string,
  { issuer, audience, keys, oneTime, nowMs }: VerifyDecisionGrantOptions,
): Promise<DecisionGrant> {
  const grant = await readGrant(token, { issuer, audience, keys, nowMs });
  const ttlSeconds = grant.exp + clockToleranceSeconds - Math.floor(nowMs / 1000) + 1;
  const issuedAtMs = (grant.iat - clockToleranceSeconds) * 1000;
  if (!(await oneTime.claim('decision-grant', grant.jti, { ttlSeconds, issuedAtMs }))) {
    throw new DecisionGrantRefused('used');
  }
  return grant;
}

async function readGrant(
  token: string,
  { issuer, audience, keys, nowMs }: Omit<VerifyDecisionGrantOptions, 'oneTime'>,
): Promise<DecisionGrant> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: decisionGrantType,
      algorithms: ['ES256'],
      maxTokenAge: maxGrantSeconds,
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(nowMs),
    });
    const grant = decisionGrantSchema.parse(payload);
    if (grant.exp - grant.iat > maxGrantSeconds) throw new Error('it lives too long');
    return grant;
  } catch (cause) {
    throw new DecisionGrantRefused('invalid', { cause });
  }
}
