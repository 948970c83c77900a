import { RecordConflict, type RecordKind } from '@behalf/ports';
import { SealingError, type SealingContext, rewrap } from '@behalf/sealing';
import { indexKeyContext, indexKeyKind } from './account-index.js';
import { registrationContext, registrationKind } from './sealed-client-registrations.js';
import type { VaultDependencies } from './vault-dependencies.js';

type Dependencies = Pick<VaultDependencies, 'records' | 'keys' | 'onFault'>;
const pageSize = 100;

/**
 * Moves what is sealed besides connections: the key of the account index, and the secrets of clients that were
 * registered for us. There are as many as there are providers.
 *
 * @returns how many could not be moved
 */
export async function rewrapOtherSecrets(dependencies: Dependencies): Promise<number> {
  const indexKeys = await rewrapAll(
    indexKeyKind,
    ({ sealed }) => sealed,
    () => indexKeyContext,
    (value, sealed) => ({ ...value, sealed }),
    dependencies,
  );
  const registrations = await rewrapAll(
    registrationKind,
    ({ sealedSecret }) => sealedSecret,
    registrationContext,
    (value, sealedSecret) => ({ ...value, sealedSecret }),
    dependencies,
  );
  return indexKeys + registrations;
}

async function rewrapAll<T>(
  kind: RecordKind<T>,
  sealedOf: (value: T) => string | undefined,
  contextOf: (id: string, value: T) => SealingContext,
  withSealed: (value: T, sealed: string) => T,
  { records, keys, onFault }: Dependencies,
): Promise<number> {
  let failed = 0;
  for (let afterId: string | undefined; ;) {
    const page = await records.list(kind, { limit: pageSize, ...(afterId !== undefined && { afterId }) });
    for (const { id, value, version } of page) {
      const sealed = sealedOf(value);
      if (sealed === undefined) continue;
      try {
        const renewed = await rewrap(keys, sealed, contextOf(id, value));
        if (renewed === undefined) continue;
        await records.transaction((transaction) =>
          transaction.put(kind, id, withSealed(value, renewed), { expectedVersion: version }),
        );
      } catch (error) {
        if (!(error instanceof SealingError) && !(error instanceof RecordConflict)) throw error;
        onFault('a secret of the vault could not be moved', error);
        failed += 1;
      }
    }
    afterId = page.at(-1)?.id;
    if (page.length < pageSize) return failed;
  }
}
