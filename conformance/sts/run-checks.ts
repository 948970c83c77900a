import type { Check } from './check.ts';
import type { StsConfig } from './config.ts';
import { dpopChecks } from './dpop-checks.ts';
import { exchangeChecks } from './exchange-checks.ts';
import { idJagChecks } from './id-jag-checks.ts';
import { StsClient } from './sts-client.ts';
import { tokenChecks } from './token-checks.ts';

export interface CheckResult extends Pick<Check, 'id' | 'spec' | 'title'> {
  outcome: 'pass' | 'fail' | 'skip';
  problem?: string;
}

export const checks: Check[] = [...tokenChecks, ...exchangeChecks, ...dpopChecks, ...idJagChecks];

/** Runs every check that the configuration has what it takes for. */
export async function runChecks(config: StsConfig): Promise<CheckResult[]> {
  const sts = new StsClient(config);
  await sts.open();
  const results: CheckResult[] = [];
  for (const check of checks) {
    const { id, spec, title, needs } = check;
    if (config.without.some((prefix) => id.startsWith(prefix)) || (needs && !needs(config))) {
      results.push({ id, spec, title, outcome: 'skip' });
      continue;
    }
    const problem = await check.run(sts).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : 'failed'),
    );
    results.push({
      id,
      spec,
      title,
      outcome: problem === undefined ? 'pass' : 'fail',
      ...(problem !== undefined && { problem }),
    });
  }
  return results;
}
