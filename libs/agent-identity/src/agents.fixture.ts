import { MemoryRecordStore } from '@behalf/adapter-memory';
import { type CreateAgentRequest, createAgentRequestSchema } from '@behalf/contracts';
import { FakeClock, testKeys } from '@behalf/testing';
import { createAgent } from './create-agent.js';
import type { Act, AgentDependencies, AgentRevocation } from './ports.js';

export const agentsUrl = 'https://as.example/agents';

/** A fresh public key without the members that say what it is for. */
export async function publicKey(): Promise<Record<string, unknown>> {
  const { kty, crv, x, y } = (await testKeys()).publicJwks().keys[0]!;
  return { kty, crv, x, y };
}

/** Agents in memory. `revoked` holds what was revoked in transactions that committed. */
export function agentsFixture() {
  const clock = new FakeClock();
  const records = new MemoryRecordStore(clock);
  const revoked: AgentRevocation[] = [];
  let ids = 0;
  const dependencies: AgentDependencies = {
    records,
    agentsUrl,
    isConfiguredClient: (id) => id === `${agentsUrl}/configured`,
    newId: () => `id-${(ids += 1)}`,
    trusts: (_what, name) => !name.includes('unknown'),
    resolveKeySet: async () => Promise.reject(new Error('nothing is there')),
    revoke: async (_transaction, revocation) => void revoked.push(revocation),
  };
  const act = (): Act => ({ by: 'operator', nowMs: clock.nowMs() });
  return {
    clock,
    records,
    revoked,
    dependencies,
    act,
    events: () => records.outbox.map(({ type }) => type),
    async create(changes: Partial<Record<keyof CreateAgentRequest, unknown>> = {}) {
      const request = createAgentRequestSchema.parse({
        slug: 'reporter',
        name: 'Reporter',
        owner: 'ops@example.com',
        purpose: 'Writes reports',
        jwks: { keys: [await publicKey()] },
        ceiling: { audiences: ['https://files.example/mcp'], scopes: ['mcp:tools'] },
        ...changes,
      });
      return createAgent(request, act(), dependencies);
    },
  };
}
