import type { AuditRecord } from '@behalf/audit';
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
  const { outcome, source } = await resolveOutcome(request, dependencies);
  const record = recordOf(outcome, request, source);
  if (outcome instanceof ExchangeRefusal) {
    // Refused either way: a full disk must not turn the reason into another one.
    await dependencies.audit.append(record).catch(() => {});
    throw refusalToOAuthError(outcome.reason);
  }
  await dependencies.audit.append(record).catch((cause: unknown) => {
    throw refusalToOAuthError({ kind: 'not_recordable', cause });
  });
  const { token, response, expiresAtSeconds } = outcome;
  return { access_token: token, expires_in: expiresAtSeconds - request.nowSeconds, ...response };
}

async function resolveOutcome(
  request: ExchangeRequest,
  dependencies: ExchangeDependencies,
): Promise<{ outcome: ExchangeOutcome; source: ExchangeSource }> {
  const mint = (): Promise<ExchangeOutcome> => mintToken(request, dependencies);
  if (!dependencies.cache) return { outcome: await mint(), source: 'minted' };
  try {
    return await dependencies.cache.through(request, mint, (minted) =>
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
