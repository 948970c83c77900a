import { createHash } from 'node:crypto';
import { actClaimSchema, OAuthError } from '@behalf/oauth';
import type { Clock, RecordReader } from '@behalf/ports';
import type { TokenClaims, TransactionTokenClaims } from '@behalf/token-exchange';
import { errors, type JWTVerifyGetKey, jwtVerify, type JWTVerifyResult } from 'jose';
import { z } from 'zod';
import { checkNotRevoked } from './check-not-revoked.js';
import { artifactRecords } from './stored-artifact.js';

const maxTokenBytes = 16 * 1024;
const clockToleranceSeconds = 5;

export interface OwnTokenDependencies {
  issuer: string;
  verificationKeys: JWTVerifyGetKey;
  records: RecordReader;
  clock: Clock;
}

const idTokenSchema = z.looseObject({
  iss: z.string(),
  sub: z.string().min(1),
  aud: z.string().min(1),
  exp: z.int(),
  iat: z.int(),
  sid: z.string().optional(),
  auth_time: z.int().optional(),
  groups: z.array(z.string()).optional(),
  // Of logout tokens, which are told from ID tokens by nothing else that older ones have.
  events: z.never().optional(),
});

const text = z.string().min(1);
const transactionTokenSchema = z.looseObject({
  iss: text,
  sub: text,
  aud: text,
  client_id: text,
  req_wl: text,
  exp: z.int(),
  iat: z.int(),
  jti: text,
  txn: text,
  scope: z.string(),
  act: actClaimSchema.optional(),
  tctx: z.record(z.string(), z.string()),
  rctx: z.object({ call_chain: z.array(z.string()) }).catchall(z.string()),
  agentic_ctx: z.record(z.string(), z.string()).optional(),
  lineage: z.array(z.string()).optional(),
  delegations: z.array(z.string()).optional(),
  grant_id: z.string().optional(),
  sid: z.string().optional(),
  auth_time: z.int().optional(),
  groups: z.array(z.string()).optional(),
}) as unknown as z.ZodType<TransactionTokenClaims & { iat: number }>;

/**
 * Verifies an ID token of our own, and that the sign-in it speaks of is not over: it says that somebody is there. It has no
 * `jti`, so its digest stands for one; its audience is its client.
 *
 * @throws OAuthError `invalid_token`
 * @see OpenID Connect Core §2, §3.1.3.7
 */
export async function readOwnIdToken(token: string, deps: OwnTokenDependencies): Promise<TokenClaims> {
  // A header without `typ` is an ID token's: everything else that is signed here says what it is.
  const payload = await verify(token, deps, (typ) => typ === undefined || typ === 'JWT');
  const { aud, ...claims } = read(payload, idTokenSchema);
  const jti = createHash('sha256').update(token).digest('base64url');
  const tokenClaims = { ...claims, aud, client_id: aud, jti, scope: '' };
  await checkNotRevoked([tokenClaims], deps);
  if (claims.sid !== undefined) {
    const sessions = await deps.records.list(artifactRecords('Session'), {
      where: { uid: claims.sid },
      limit: 1,
    });
    if (sessions.length === 0) throw new OAuthError('invalid_token', 'the sign-in is over');
  }
  return tokenClaims;
}

/**
 * Verifies a transaction token of our own.
 *
 * @throws OAuthError `invalid_token`
 * @see draft-ietf-oauth-transaction-tokens, "Txn-Token Format"
 */
export async function readOwnTransactionToken(
  token: string,
  deps: OwnTokenDependencies & { trustDomain: string },
): Promise<TransactionTokenClaims> {
  const payload = await verify(token, deps, (typ) => typ === 'txntoken+jwt');
  const claims = read(payload, transactionTokenSchema);
  if (claims.aud !== deps.trustDomain)
    throw new OAuthError('invalid_token', 'the transaction token is for another trust domain');
  await checkNotRevoked([claims], deps);
  return claims;
}

async function verify(
  token: string,
  { issuer, verificationKeys, clock }: OwnTokenDependencies,
  isType: (typ: string | undefined) => boolean,
): Promise<unknown> {
  if (token.length > maxTokenBytes) throw new OAuthError('invalid_token', 'the token is too large');
  let verified: JWTVerifyResult;
  try {
    verified = await jwtVerify(token, verificationKeys, {
      issuer,
      algorithms: ['ES256', 'RS256'],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(clock.nowMs()),
      requiredClaims: ['exp', 'iat'],
    });
  } catch (cause) {
    // The keys are our own: what is no fault of the token is one of the store they are in.
    if (!(cause instanceof errors.JOSEError)) throw cause;
    throw new OAuthError('invalid_token', 'the token is not valid', { cause });
  }
  if (!isType(verified.protectedHeader.typ))
    throw new OAuthError('invalid_token', 'the token is of another type');
  return verified.payload;
}

function read<T>(payload: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new OAuthError('invalid_token', 'the token lacks required claims', { cause: parsed.error });
}
