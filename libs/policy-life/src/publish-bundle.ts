import { policyChanged } from '@behalf/contracts';
import type { PolicyProblem } from '@behalf/policy';
import { RecordConflict, type RecordStore, type RecordTransaction } from '@behalf/ports';
import { type BundleFile, versionOfFiles } from './bundle-files.js';
import { type Activation, activationId, activations, activePolicies, bundles } from './bundle-records.js';
import { type CandidateDependencies, checkCandidate } from './check-candidate.js';

export interface PublishOptions extends CandidateDependencies {
  records: RecordStore;
  author: string;
  reason: string;
  nowMs: number;
  /** The version that the author has seen deciding; another one there refuses. */
  expectedVersion?: string | undefined;
}

export type RefusalReason = 'invalid' | 'conflict' | 'not_found' | 'reason_missing';

/** Nothing was changed. */
export class PolicyRefused extends Error {
  override readonly name = 'PolicyRefused';
  constructor(
    readonly reason: RefusalReason,
    readonly problems: PolicyProblem[] = [],
  ) {
    super(`policy refused: ${reason}`);
  }
}

export interface Published {
  version: string;
  replaced: string | undefined;
  warnings: PolicyProblem[];
}

/**
 * Makes a bundle decide: checked and linted, kept with author and reason, made live, and told to every replica, all in
 * one transaction. Errors refuse; warnings are returned.
 *
 * Does not check that the author may publish.
 *
 * @throws PolicyRefused
 */
export async function publishBundle(files: BundleFile[], options: PublishOptions): Promise<Published> {
  return activate(files, options, 'publish');
}

/**
 * Makes an earlier bundle decide again: the one before the live one, or the one that is named. It is checked like any
 * other, since what checks it may have changed.
 *
 * @throws PolicyRefused `not_found` when there is none, `invalid` when it no longer passes
 */
export async function rollBack(
  options: PublishOptions & { version?: string | undefined },
): Promise<Published> {
  const { records } = options;
  const version = options.version ?? (await previousVersion(records));
  const found = version === undefined ? undefined : await records.get(bundles, version);
  if (found === undefined) throw new PolicyRefused('not_found');
  return activate(found.value.files, options, 'roll-back');
}

/** Puts a bundle in place where there is none yet; undefined when there is one. */
export async function seedBundle(
  files: BundleFile[],
  options: Omit<PublishOptions, 'expectedVersion'>,
): Promise<Published | undefined> {
  if ((await options.records.get(activePolicies, 'live')) !== undefined) return undefined;
  return activate(files, options, 'seed');
}

/** Sets, or takes away, the bundle that is compared with the live one. @throws PolicyRefused `not_found` */
export async function setShadow(records: RecordStore, version: string | undefined): Promise<void> {
  await records.transaction(async (transaction) => {
    const shadow = await transaction.get(activePolicies, 'shadow');
    if (version === undefined) await transaction.delete(activePolicies, 'shadow');
    else if ((await transaction.get(bundles, version)) === undefined) throw new PolicyRefused('not_found');
    else {
      const sequence = (shadow?.value.sequence ?? 0) + 1;
      await transaction.put(activePolicies, 'shadow', { version, sequence });
    }
    const live = await transaction.get(activePolicies, 'live');
    if (live !== undefined) await transaction.emit(policyChanged, { version: live.value.version });
  });
}

async function activate(
  files: BundleFile[],
  options: PublishOptions,
  act: Activation['act'],
): Promise<Published> {
  if (options.reason.trim() === '') throw new PolicyRefused('reason_missing');
  const { problems } = checkCandidate(files, options);
  if (problems.some(({ severity }) => severity === 'error')) throw new PolicyRefused('invalid', problems);
  try {
    return await options.records.transaction(async (transaction) => {
      const { version, replaced } = await write(transaction, files, options, act);
      return { version, replaced, warnings: problems };
    });
  } catch (error) {
    if (error instanceof RecordConflict) throw new PolicyRefused('conflict');
    throw error;
  }
}

async function write(
  transaction: RecordTransaction,
  files: BundleFile[],
  { author, reason, nowMs, expectedVersion }: PublishOptions,
  act: Activation['act'],
): Promise<{ version: string; replaced: string | undefined }> {
  const version = versionOfFiles(files);
  const live = await transaction.get(activePolicies, 'live');
  const replaced = live?.value.version;
  if (expectedVersion !== undefined && replaced !== expectedVersion) throw new PolicyRefused('conflict');
  // The contents under a version never change, so the first author of these contents stays.
  if ((await transaction.get(bundles, version)) === undefined)
    await transaction.put(
      bundles,
      version,
      { files, author, reason, createdAtMs: nowMs },
      { expectedVersion: 0 },
    );
  const sequence = (live?.value.sequence ?? 0) + 1;
  await transaction.put(
    activePolicies,
    'live',
    { version, sequence },
    { expectedVersion: live?.version ?? 0 },
  );
  await transaction.put(
    activations,
    activationId(sequence),
    { version, ...(replaced !== undefined && { replaced }), act, author, reason, activatedAtMs: nowMs },
    { expectedVersion: 0 },
  );
  await transaction.emit(policyChanged, { version });
  return { version, replaced };
}

/** Rolling back twice goes back and forth between two bundles, so that a rollback can be undone the same way. */
async function previousVersion(records: RecordStore): Promise<string | undefined> {
  const live = await records.get(activePolicies, 'live');
  if (live === undefined) return undefined;
  const current = await records.get(activations, activationId(live.value.sequence));
  return current?.value.replaced;
}
