import { basicCases } from './basic.ts';
import { batchCases } from './batch.ts';
import type { Case, Level } from './case.ts';
import { discoveryCases } from './discovery.ts';
import { PdpClient, type PdpOptions } from './pdp-client.ts';
import { searchCases } from './search.ts';

export interface CaseResult extends Pick<Case, 'id' | 'level' | 'title'> {
  /** Undefined when it passed. */
  problem: string | undefined;
}

const cases: Case[] = [...basicCases, ...batchCases, ...searchCases, ...discoveryCases];

/** Runs the certification scenario of AuthZEN 1.0 against a decision point that has its fixture. */
export async function runScenario(options: PdpOptions): Promise<CaseResult[]> {
  const pdp = new PdpClient(options);
  try {
    await pdp.discover();
    const results: CaseResult[] = [];
    for (const one of cases) {
      const { id, level, title } = one;
      const problem = await one.run(pdp).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : 'failed'),
      );
      results.push({ id, level, title, problem });
    }
    return results;
  } finally {
    await pdp.close();
  }
}

/** What has to pass for a level besides its own cases. */
const prerequisites: Partial<Record<Level, Level>> = {
  'Batch Core': 'Basic Core',
  'Batch Properties': 'Basic Properties',
  'Search Properties': 'Search Core',
};

/** Whether each level is reached, its prerequisite included. */
export function levelsReached(results: readonly CaseResult[]): Map<Level, boolean> {
  const passes = (level: Level): boolean =>
    results.every((result) => result.level !== level || result.problem === undefined) &&
    (prerequisites[level] === undefined || passes(prerequisites[level]));
  return new Map([...new Set(results.map(({ level }) => level))].map((level) => [level, passes(level)]));
}
