import { agentMetadata, findAgent, findSecretHashes } from '@behalf/agent-identity';
import type { Agent } from '@behalf/contracts';
import type { RecordReader } from '@behalf/ports';
import { joinSecretHashes } from './client-secret.js';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';

/** Agents as clients of the token endpoint, always as the records have them now: nothing of an agent is cached here. */
export class AgentClients {
  readonly #seen = new Set<string>();

  constructor(
    private readonly records: RecordReader,
    private readonly configuredClients: ReadonlySet<string>,
  ) {}

  /**
   * The agent that a client is; undefined for any other client. A configured client is never an agent.
   *
   * @throws InvalidClientAuth while the agent is suspended, and for good once it is retired
   */
  async find(clientId: string): Promise<Agent | undefined> {
    if (this.configuredClients.has(clientId)) return undefined;
    const agent = await findAgent(this.records, clientId);
    if (!agent) return undefined;
    this.#seen.add(agent.id);
    // Not "unknown": the library would go on and look for a metadata document under this id.
    if (agent.state !== 'active')
      throw new errors.InvalidClientAuth({ cause: `the agent is ${agent.state}` });
    return agent;
  }

  /** True for clients of the configuration. */
  isConfigured(clientId: string): boolean {
    return this.configuredClients.has(clientId);
  }

  /**
   * True for metadata that came from `find`. An agent's id stays its own for ever, so what was seen once holds, and no
   * document or registration gets the rights of an agent by what it says.
   */
  hasSeen(clientId: string): boolean {
    return this.#seen.has(clientId);
  }

  /** The clients of the library, with agents among them. */
  among(clients: Adapter): Adapter {
    return {
      upsert: (id, payload, expiresIn) => clients.upsert(id, payload, expiresIn),
      find: async (id) => {
        const agent = await this.find(id);
        if (!agent) return clients.find(id);
        const secrets = joinSecretHashes(await findSecretHashes(this.records, agent));
        return { ...agentMetadata(agent, secrets) } as AdapterPayload;
      },
      findByUid: (uid) => clients.findByUid(uid),
      findByUserCode: (userCode) => clients.findByUserCode(userCode),
      consume: (id) => clients.consume(id),
      destroy: (id) => clients.destroy(id),
      revokeByGrantId: (grantId) => clients.revokeByGrantId(grantId),
    };
  }
}
