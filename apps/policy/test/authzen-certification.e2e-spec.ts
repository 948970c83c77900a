import { resolve } from 'node:path';
import { type PolicyService, startPolicyService } from './policy-service.js';

interface Result {
  id: string;
  level: string;
  title: string;
  problem: string | undefined;
}
type RunScenario = (options: { url: string; defaultPaths: boolean }) => Promise<Result[]>;

/** The program behind `npm run conformance:authzen`, which stands outside the compiled sources. */
const scenario = resolve('conformance/authzen/run-scenario.ts');

async function failures(policies: string): Promise<Result[]> {
  const { runScenario } = (await import(scenario)) as { runScenario: RunScenario };
  const service: PolicyService = await startPolicyService({
    allowUnauthenticatedLoopback: true,
    policies,
    settings: { resourceTypes: { record: 'Record' } },
  });
  try {
    const results = await runScenario({ url: service.url, defaultPaths: true });
    // Discovery is about https URLs, which this service has only behind something that ends TLS.
    return results.filter(({ level, problem }) => level !== 'Discovery' && problem !== undefined);
  } finally {
    await service.close();
  }
}

describe('the certification scenario of AuthZEN 1.0', () => {
  it('passes on the policies that express it', async () => {
    expect(await failures('conformance/authzen/policies')).toEqual([]);
  });

  it('fails on others', async () => {
    const failed = await failures('deploy/demo/policies');
    expect(failed.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['c-1-4', 'c-2-2-5', '+', 'c-4-2-4', 'c-4-6']),
    );
  });
});
