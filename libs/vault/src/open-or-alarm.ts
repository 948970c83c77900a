import { SealingError } from '@behalf/sealing';
import { type Alarm, raiseAlarm } from './raise-alarm.js';
import type { VaultDependencies } from './vault-dependencies.js';
import { VaultError } from './vault-error.js';

/**
 * Opens a secret. What does not open in its place was moved or changed by somebody, and what opens and is a decoy is
 * there for thieves only: both raise an alarm. Nothing is deleted, for it is evidence.
 *
 * @throws VaultError `unavailable`, `needs_consent` or `alarmed`
 */
export async function openOrAlarm<T extends { isDecoy?: true | undefined }>(
  dependencies: VaultDependencies,
  about: Omit<Alarm, 'alarm'>,
  open: () => Promise<T>,
): Promise<T> {
  let opened: T;
  try {
    opened = await open();
  } catch (error) {
    if (!(error instanceof SealingError)) throw error;
    if (error.problem === 'unavailable' || error.problem === 'unknown_key') {
      dependencies.onFault(`a credential cannot be opened: ${error.problem}`, error);
      throw new VaultError('unavailable', { cause: error, retryAfterSeconds: 5 });
    }
    await raiseAlarm(dependencies, { ...about, alarm: 'not_authentic' });
    throw new VaultError('needs_consent', { cause: error });
  }
  if (!opened.isDecoy) return opened;
  await raiseAlarm(dependencies, { ...about, alarm: 'decoy_opened' });
  throw new VaultError('alarmed');
}
