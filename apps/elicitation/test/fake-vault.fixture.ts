import type { ThirdParties } from '@behalf/third-party';
import { type Connection, type NewConnection, type Vault, VaultError, connectionId } from '@behalf/vault';
import { providers } from './fake-third-party.fixture.js';

/** Connections in memory. A decision grant is `<person> <resource>`, good as often as it is shown. */
export class FakeVault implements Vault {
  readonly #held = new Map<
    string,
    { connection: Connection; accessToken: string; accountId: string | undefined }
  >();
  stored = 0;

  constructor(private readonly thirdParties: ThirdParties) {}

  async storeConnection({ owner, tenant, providerId, resource, tokens }: NewConnection): Promise<Connection> {
    this.stored += 1;
    const id = connectionId({ owner, tenant, providerId, resource });
    const connection: Connection = {
      id,
      owner,
      tenant,
      providerId,
      resource,
      scopes: tokens.scopes,
      status: 'active',
      reason: undefined,
      createdAtMs: Date.UTC(2026, 0, 1),
      statusSinceMs: Date.UTC(2026, 0, 1),
      accessTokenExpiresAtMs: undefined,
      isRefreshable: false,
      lastUse: undefined,
      version: this.stored,
    };
    this.#held.set(id, { connection, accessToken: tokens.accessToken, accountId: tokens.accountId });
    return connection;
  }

  async replacesAnother(connection: NewConnection): Promise<boolean> {
    const [before, now] = [this.#held.get(connectionId(connection))?.accountId, connection.tokens.accountId];
    return before !== undefined && now !== undefined && before !== now;
  }

  async openForUse(decisionGrant: string) {
    const [owner, resource] = decisionGrant.split(' ');
    const held = [...this.#held.values()].find(
      ({ connection }) => connection.owner === owner && connection.resource === resource,
    );
    if (!held) throw new VaultError('not_connected');
    const { connection, accessToken } = held;
    return {
      connectionId: connection.id,
      credentialVersion: 1,
      accessToken,
      header: 'authorization',
      prefix: 'Bearer ',
      expiresAtMs: undefined,
      scopes: connection.scopes,
    };
  }

  async disconnect(id: string, owner: string) {
    const held = this.#held.get(id);
    if (held?.connection.owner !== owner) return undefined;
    this.#held.delete(id);
    const { providerId } = held.connection;
    const provider = providers.find((one) => one.id === providerId);
    if (provider)
      await this.thirdParties.revoke(provider, {
        accessToken: held.accessToken,
        refreshToken: undefined,
        client: undefined,
      });
    return { connection: held.connection, atProvider: 'revoked' as const };
  }

  async list(owner: string): Promise<Connection[]> {
    return [...this.#held.values()].map(({ connection }) => connection).filter((one) => one.owner === owner);
  }

  async find(owner: string, resource: string): Promise<Connection | undefined> {
    return (await this.list(owner)).find((one) => one.resource === resource);
  }

  async reportRefused(): Promise<void> {}

  async endByProvider() {
    return false;
  }

  async endByAccount() {
    return 0;
  }

  async accountOf(): Promise<undefined> {}
}
