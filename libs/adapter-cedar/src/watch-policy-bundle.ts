import { watch } from 'node:fs';
import type { PolicyEngine, PolicyProblem } from '@behalf/policy';
import { PolicyBundleUnreadable, loadPolicyBundle } from './load-policy-bundle.js';

/** Editors and copies write in bursts; one check after the last of them sees a whole bundle. */
const settleMs = 100;

export interface BundleRefused {
  /** Undefined when the folder could not be read as a bundle. */
  version: string | undefined;
  problems: PolicyProblem[];
}

export interface WatchPolicyBundleOptions {
  folder: string;
  engine: PolicyEngine;
  /** The engine has begun to decide by a new version. */
  onChanged: (version: string, warnings: PolicyProblem[]) => void;
  /** The folder holds no valid bundle; what was in use stays. */
  onRefused: (refused: BundleRefused) => void;
}

export interface PolicyBundleWatch {
  /** Looks at the folder now. Resolves when the engine decides by what the folder holds, or has refused it. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Keeps an engine on what a folder holds. Contents are compared, not times: touching a file changes nothing, and a
 * bundle that was refused is reported once until it changes. Does not load the first bundle; call `check`.
 *
 * Deletions count as changes like any other, so removing a `forbid` takes effect. A folder that disappears does not.
 */
export function watchPolicyBundle(options: WatchPolicyBundleOptions): PolicyBundleWatch {
  let lastRefused: string | undefined;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const refuse = (refused: BundleRefused): void => {
    const seen = JSON.stringify(refused);
    if (seen !== lastRefused) options.onRefused(refused);
    lastRefused = seen;
  };
  const checkOnce = async (): Promise<void> => {
    const { engine, folder } = options;
    let bundle;
    try {
      bundle = await loadPolicyBundle(folder);
    } catch (error) {
      return refuse({ version: undefined, problems: [unreadable(error)] });
    }
    if (bundle.version === engine.version) return void (lastRefused = undefined);
    const problems = engine.load(bundle);
    if (problems.some((problem) => problem.severity === 'error'))
      return refuse({ version: bundle.version, problems });
    lastRefused = undefined;
    options.onChanged(bundle.version, problems);
  };
  // One at a time: an older reading must not be loaded over a newer one.
  const check = (): Promise<void> => {
    running = running.then(checkOnce, checkOnce);
    return running;
  };

  const watcher = watch(options.folder, () => {
    clearTimeout(timer);
    timer = setTimeout(() => void check(), settleMs);
  });
  watcher.on('error', (error) => refuse({ version: undefined, problems: [unreadable(error)] }));
  return {
    check,
    async close() {
      watcher.close();
      clearTimeout(timer);
      await running.catch(() => {});
    },
  };
}

function unreadable(error: unknown): PolicyProblem {
  if (error instanceof PolicyBundleUnreadable)
    return { severity: 'error', file: error.file, reason: error.reason };
  return { severity: 'error', reason: error instanceof Error ? error.message : 'cannot be read' };
}
