import { RecordConflict, type RecordKind } from '@behalf/ports';
import { SealingError, type SealingContext, rewrap } from '@behalf/sealing';
import { indexKeyContext, indexKeyKind } from './account-index.js';
import { type PendingRevocation, pendingRevocationKind } from './pending-revocations.js';
import { sealingContext } from './sealed-credential.js';
import { registrationContext, registrationKind } from './sealed-client-registrations.js';
import type { VaultDependencies } from './vault-dependencies.js';

type Dependencies = Pick<VaultDependencies, 'records' | 'keys' | 'onFault'>;
const pageSize = 100;

/** A secret of a record: where it belongs, and the record with another text in its place. */
interface Part<T> {
  readonly sealed: string;
  readonly context: SealingContext;
  readonly replace: (value: T, sealed: string) => T;
}

/**
 * Moves what is sealed besides connections: the key of the account index, the secrets of clients that were registered
 * for us, and tokens that providers have yet to be told the end of. There is little of it.
 *
 * @returns how many could not be moved
 */
export async function rewrapOtherSecrets(dependencies: Dependencies): Promise<number> {
  const failed = [
    await rewrapAll(
      indexKeyKind,
      (_id, { sealed }) => [
        { sealed, context: indexKeyContext, replace: (value, text) => ({ ...value, sealed: text }) },
      ],
      dependencies,
    ),
    await rewrapAll(
      registrationKind,
      (id, registration) => [
        {
          sealed: registration.sealedSecret ?? '',
          context: registrationContext(id, registration),
          replace: (value, sealedSecret) => ({ ...value, sealedSecret }),
        },
      ],
      dependencies,
    ),
    await rewrapAll(pendingRevocationKind, (_id, pending) => partsOf(pending), dependencies),
  ];
  return failed.reduce((sum, count) => sum + count, 0);
}

function partsOf({ connectionId, sealed, ...rest }: PendingRevocation): Part<PendingRevocation>[] {
  const place = { id: connectionId, ...rest };
  return (['access', 'refresh'] as const).map((part) => ({
    sealed: sealed[part] ?? '',
    context: sealingContext(place, part),
    replace: (value, text) => ({ ...value, sealed: { ...value.sealed, [part]: text } }),
  }));
}

async function rewrapAll<T>(
  kind: RecordKind<T>,
  partsOfRecord: (id: string, value: T) => readonly Part<T>[],
  { records, keys, onFault }: Dependencies,
): Promise<number> {
  let failed = 0;
  for (let afterId: string | undefined; ;) {
    const page = await records.list(kind, { limit: pageSize, ...(afterId !== undefined && { afterId }) });
    for (const { id, value, version } of page) {
      try {
        let next = value;
        for (const { sealed, context, replace } of partsOfRecord(id, value)) {
          const renewed = sealed === '' ? undefined : await rewrap(keys, sealed, context);
          if (renewed !== undefined) next = replace(next, renewed);
        }
        if (next === value) continue;
        const written = next;
        await records.transaction((transaction) =>
          transaction.put(kind, id, written, { expectedVersion: version }),
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
