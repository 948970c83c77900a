import { consentWithdrawn } from '@behalf/contracts';
import type { RecordStore } from '@behalf/ports';
import { cancelWhere } from './change-elicitation.js';
import { type Consent, consentRecords } from './consent.js';

export interface WithdrawnConsent {
  consent: Consent;
  /** How many requests of the same asker were waiting for the person. */
  cancelled: number;
}

/**
 * A person lets one asker use their account no more; the account stays connected, and others may use it as before. What
 * that asker was waiting for is closed as well: no old link gives back what was taken.
 *
 * @param id of the consent's record
 * @returns undefined when there is none, or it is another person's
 */
export async function withdrawConsent(
  { id, person, nowMs }: { id: string; person: string; nowMs: number },
  records: RecordStore,
): Promise<WithdrawnConsent | undefined> {
  const consent = await records.transaction(async (transaction) => {
    const found = await transaction.get(consentRecords, id);
    if (found?.value.person !== person) return undefined;
    await transaction.delete(consentRecords, id);
    await transaction.emit(consentWithdrawn, { owner: person, providerId: found.value.provider });
    return found.value;
  });
  if (!consent) return undefined;
  // A consent is found by its asker.
  return { consent, cancelled: await cancelWhere({ asker: id }, () => true, records, nowMs) };
}
