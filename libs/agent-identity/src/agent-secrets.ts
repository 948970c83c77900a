import { createHash, randomBytes } from 'node:crypto';
import type { Agent, KeptAgentCredential } from '@behalf/contracts';
import type { RecordKind, RecordReader } from '@behalf/ports';
import { z } from 'zod';
import { AgentRefusal } from './agent-refusal.js';
import { changeAgent, checkNotRetired, recordOf } from './change-agent.js';
import type { Act, AgentDependencies, Target } from './ports.js';

const maxSecrets = 2;
const secretBytes = 32;

const agentSecretSchema = z.object({ agent: z.string(), hash: z.string() });
/** Hashes of secrets, apart from the agents, so that whoever sees an agent sees none. */
const agentSecretRecords: RecordKind<z.output<typeof agentSecretSchema>> = {
  name: 'agent-secret',
  schema: agentSecretSchema,
  keys: ({ agent }) => ({ agent }),
};

/**
 * Gives an agent its next secret, beside the one in use. It is told once: what is kept is its SHA-256, which 256 random
 * bits need no salt for.
 *
 * @throws AgentRefusal `credential_is_no_secret`, `too_many_secrets`
 */
export async function addSecret(
  target: Target,
  act: Act,
  dependencies: AgentDependencies,
): Promise<{ agent: Agent; id: string; clientSecret: string }> {
  const clientSecret = randomBytes(secretBytes).toString('base64url');
  const id = dependencies.newId();
  const agent = await changeAgent(target, act, dependencies, async (known, transaction) => {
    const credential = secretsOf(known);
    if (credential.secrets.length >= maxSecrets) throw new AgentRefusal({ kind: 'too_many_secrets' });
    const hash = createHash('sha256').update(clientSecret).digest('base64url');
    await transaction.put(agentSecretRecords, id, { agent: known.id, hash }, { expectedVersion: 0 });
    const secrets = [...credential.secrets, { id, createdAtMs: act.nowMs }];
    return { record: { ...recordOf(known), credential: { ...credential, secrets } } };
  });
  return { agent, id, clientSecret };
}

/**
 * Takes a secret from an agent: who presents it is refused from now on. The last one can go, too.
 *
 * @throws AgentRefusal `credential_is_no_secret`, `secret_unknown`
 */
export function removeSecret(
  target: Target,
  id: string,
  act: Act,
  dependencies: AgentDependencies,
): Promise<Agent> {
  return changeAgent(target, act, dependencies, async (known, transaction) => {
    const credential = secretsOf(known);
    const secrets = credential.secrets.filter((secret) => secret.id !== id);
    if (secrets.length === credential.secrets.length) throw new AgentRefusal({ kind: 'secret_unknown' });
    await transaction.delete(agentSecretRecords, id);
    return { record: { ...recordOf(known), credential: { ...credential, secrets } } };
  });
}

/** The SHA-256 digests, base64url, of the secrets that an agent has now. */
export async function findSecretHashes(records: RecordReader, { id, credential }: Agent): Promise<string[]> {
  if (credential?.method !== 'client_secret') return [];
  const kept = await records.list(agentSecretRecords, { where: { agent: id } });
  return kept.map(({ value }) => value.hash);
}

function secretsOf(agent: Agent): KeptAgentCredential & { method: 'client_secret' } {
  checkNotRetired(agent);
  if (agent.credential?.method !== 'client_secret')
    throw new AgentRefusal({ kind: 'credential_is_no_secret' });
  return agent.credential;
}
