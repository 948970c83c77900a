import type { ExchangeDependencies } from './ports.js';

/**
 * The same dependencies, asking policy for decisions whose records are still being written, where that can be had.
 *
 * @param records is told of each of those: nothing may come of the exchange before all have resolved
 */
export function decidingAhead(
  dependencies: ExchangeDependencies,
  records: Promise<void>[],
): ExchangeDependencies {
  const { decideAhead } = dependencies;
  if (!decideAhead) return dependencies;
  return {
    ...dependencies,
    decide: async (evaluation) => {
      const { recorded, ...answer } = await decideAhead(evaluation);
      if (!recorded) return answer;
      records.push(recorded);
      // It is waited for when the token is signed. A failure may come before that.
      recorded.catch(() => {});
      return answer;
    },
  };
}
