import type { AuditRecord } from '@behalf/audit';
import { decidingAhead } from './deciding-ahead.js';
import { ExchangeRefusal, refusalToOAuthError } from './exchange-refusal.js';
import { exchangeRecord, recordAgain } from './exchange-record.js';
import { isStillGood } from './is-still-good.js';
import { mintToken } from './mint-token.js';
import type {
  ExchangeDependencies,
  ExchangeOutcome,
  ExchangeRequest,
  ExchangeResponse,
  ExchangeSource,
} from './ports.js';

/**
 * Exchanges a token of a person for one that the client uses on their behalf.
 *
 * The client must already be authenticated, and the proofs of its keys checked. Allowed or refused, made anew or given
 * out again, the exchange is in the audit log before the answer leaves; a token that cannot be recorded is not issued.
 *
 * @throws OAuthError `invalid_request`, `invalid_target`, `invalid_scope`, `invalid_authorization_details`,
 *   `unauthorized_client`, `interaction_required`, `temporarily_unavailable`
 * @see RFC 8693 §2
 */
export async function exchangeToken(
  request: ExchangeRequest,
  dependencies: ExchangeDependencies,
): Promise<ExchangeResponse> {
  let isRecorded = false;
  // Before anybody else, or the cache, can have what it came to.
  const mint = async (): Promise<ExchangeOutcome> => {
    const decisions: Promise<void>[] = [];
    const minted = await mintToken(request, decidingAhead(dependencies, decisions));
    const recorded = await record(minted, recordOf(minted, request, 'minted'), dependencies, ...decisions);
    isRecorded = recorded === minted;
    return recorded;
  };
  const { outcome, source } = await resolveOutcome(request, dependencies, mint);
  const recorded = isRecorded
    ? outcome
    : await record(outcome, recordOf(outcome, request, source), dependencies);
  if (recorded instanceof ExchangeRefusal) throw refusalToOAuthError(recorded.reason);
  const { token, response, expiresAtSeconds } = recorded;
  return { access_token: token, expires_in: expiresAtSeconds - request.nowSeconds, ...response };
}

/**
 * Resolves when the exchange, and every decision it came of, is in the audit log: with the outcome, or with the refusal
 * that becomes of a token that cannot be recorded. A refusal stays what it is: a full disk must not turn its reason into
 * another one.
 */
async function record(
  outcome: ExchangeOutcome,
  written: AuditRecord,
  { audit }: Pick<ExchangeDependencies, 'audit'>,
  ...decisions: readonly Promise<void>[]
): Promise<ExchangeOutcome> {
  try {
    await Promise.all([audit.append(written), ...decisions]);
    return outcome;
  } catch (cause) {
    return outcome instanceof ExchangeRefusal
      ? outcome
      : new ExchangeRefusal({ kind: 'not_recordable', cause });
  }
}

async function resolveOutcome(
  request: ExchangeRequest,
  { cache, ...dependencies }: ExchangeDependencies,
  mint: () => Promise<ExchangeOutcome>,
): Promise<{ outcome: ExchangeOutcome; source: ExchangeSource }> {
  try {
    if (!cache) return { outcome: await mint(), source: 'minted' };
    return await cache.through(request, mint, (minted) =>
      isStillGood(minted, request.nowSeconds, dependencies),
    );
  } catch (error) {
    if (error instanceof ExchangeRefusal) return { outcome: error, source: 'minted' };
    throw error;
  }
}

/** The record of this request, also where the outcome is that of another one. */
function recordOf(outcome: ExchangeOutcome, request: ExchangeRequest, source: ExchangeSource): AuditRecord {
  const refusal = outcome instanceof ExchangeRefusal ? outcome : undefined;
  return recordAgain(outcome.record ?? exchangeRecord(request, {}, refusal), request, source);
}
