import { registeredClientName } from '@behalf/adapter-oidc-provider';
import { findAgent } from '@behalf/agent-identity';
import type { BehalfConfig } from '@behalf/config';
import type { DelegateAgent } from '@behalf/delegation-grants';
import type { RecordReader } from '@behalf/ports';

/** Who clients are, in words. Nothing is fetched: a page must not wait for a stranger's server. */
export class ClientDirectory {
  constructor(
    private readonly config: BehalfConfig,
    private readonly records: RecordReader,
  ) {}

  /** A client that may act for people: an agent that is active, or one that an operator configured for it. */
  async findAgent(clientId: string): Promise<DelegateAgent | undefined> {
    const { clients } = this.config.authorizationServer;
    const configured = clients.find((client) => client.clientId === clientId);
    if (configured) {
      if (!configured.exchange) return undefined;
      const { purpose } = configured.exchange;
      return { clientId, name: configured.clientName ?? clientId, ...(purpose !== undefined && { purpose }) };
    }
    const agent = await findAgent(this.records, clientId);
    if (agent?.state !== 'active') return undefined;
    const { name, owner, purpose } = agent;
    return { clientId, name, owner, purpose };
  }

  /** The most a client may have on behalf of people; undefined for one that may have nothing. */
  async ceilingOf(
    clientId: string,
  ): Promise<{ audiences: readonly string[]; scopes: readonly string[] } | undefined> {
    const { clients } = this.config.authorizationServer;
    const configured = clients.find((client) => client.clientId === clientId);
    return configured ? configured.exchange : (await findAgent(this.records, clientId))?.ceiling;
  }

  /** What to call a client, whether or not it may still do anything. */
  async describe(clientId: string): Promise<{ name: string; owner?: string | undefined }> {
    const { clients } = this.config.authorizationServer;
    const configured = clients.find((client) => client.clientId === clientId);
    if (configured) return { name: configured.clientName ?? clientId };
    const agent = await findAgent(this.records, clientId);
    if (agent) return { name: agent.name, owner: agent.owner };
    return { name: (await registeredClientName(this.records, clientId)) ?? clientId };
  }
}
