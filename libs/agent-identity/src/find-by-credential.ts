import type { Agent } from '@behalf/contracts';
import type { RecordReader } from '@behalf/ports';
import { agentRecords, toAgent } from './agent-records.js';

/** How many agents may share one workload issuer. Above it nobody is looked for further, and is not found. */
const maxAgentsOfIssuer = 1_000;

/** The agent that a workload with this SPIFFE ID is. Of any state but retired: a retired one has given it up. */
export async function findBySpiffeId(records: RecordReader, spiffeId: string): Promise<Agent | undefined> {
  const found = await records.list(agentRecords, { where: { spiffe_id: spiffeId } });
  const [only, ...others] = found.map(toAgent).filter(({ state }) => state !== 'retired');
  return others.length === 0 ? only : undefined;
}

/**
 * The agent that a workload is, by the claims of a token of its issuer, which has been verified. Undefined for none, and
 * for several: whose token it is must not be guessed.
 */
export async function findByWorkload(
  records: RecordReader,
  claims: Readonly<Record<string, unknown>>,
): Promise<Agent | undefined> {
  const issuer = String(claims['iss']);
  const found = await records.list(agentRecords, {
    where: { workload_issuer: issuer },
    limit: maxAgentsOfIssuer,
  });
  const [only, ...others] = found
    .map(toAgent)
    .filter((agent) => agent.state !== 'retired' && isWorkloadOf(agent, claims));
  return others.length === 0 ? only : undefined;
}

/** True when the claims are those that the agent is known by, each by its exact value. */
export function isWorkloadOf({ credential }: Agent, claims: Readonly<Record<string, unknown>>): boolean {
  if (credential?.method !== 'workload' || claims['iss'] !== credential.issuer) return false;
  const wanted = Object.entries(credential.claims ?? {});
  return (
    (credential.subject === undefined || claims['sub'] === credential.subject) &&
    wanted.every(([name, value]) => claimAt(claims, name) === value)
  );
}

/** A claim by its name; or, for names with dots, the member of an object, as Kubernetes nests them. */
function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}
