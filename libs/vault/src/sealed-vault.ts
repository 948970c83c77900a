import { defaultTenant } from '@behalf/decision-grant';
import { findProvider } from '@behalf/third-party';
import { AccountIndex } from './account-index.js';
import {
  type Connection,
  connectionId,
  connectionKind,
  connectionUseKind,
  toConnection,
} from './connection.js';
import { ConnectionRefresher } from './connection-refresher.js';
import { disconnect } from './disconnect.js';
import { openForUse } from './open-for-use.js';
import type { Disconnected, NewConnection, OpenedCredential, Vault } from './ports.js';
import { endByAccount, endByProvider } from './end-by-provider.js';
import { reportRefused } from './report-refused.js';
import { openAccount, placeOf } from './sealed-credential.js';
import { storeConnection } from './store-connection.js';
import { UseNotes } from './use-notes.js';
import type { VaultDependencies } from './vault-dependencies.js';

const maxListed = 200;

/** The vault on whatever keeps records, keys and leases. Any number of them may share these. */
export class SealedVault implements Vault {
  readonly #refresher: ConnectionRefresher;
  readonly #uses: UseNotes;
  readonly #accounts: AccountIndex;

  constructor(private readonly dependencies: VaultDependencies) {
    this.#refresher = new ConnectionRefresher(dependencies);
    this.#uses = new UseNotes(dependencies);
    this.#accounts = new AccountIndex(dependencies);
  }

  async storeConnection(connection: NewConnection): Promise<Connection> {
    return storeConnection(connection, this.#accounts, this.dependencies);
  }

  async replacesAnother(connection: NewConnection): Promise<boolean> {
    const before = await this.dependencies.records.get(connectionKind, connectionId(connection));
    const { accountId } = connection.tokens;
    if (accountId === undefined || before?.value.accountKey === undefined) return false;
    return before.value.accountKey !== (await this.#accounts.keyOf(connection.providerId, accountId));
  }

  async openForUse(decisionGrant: string): Promise<OpenedCredential> {
    return openForUse(decisionGrant, this.#refresher, this.#uses, this.dependencies);
  }

  async disconnect(id: string, owner: string): Promise<Disconnected | undefined> {
    const found = await this.dependencies.records.get(connectionKind, id);
    if (found?.value.owner !== owner) return undefined;
    return disconnect(id, 'disconnected_by_owner', this.dependencies);
  }

  async list(owner: string): Promise<Connection[]> {
    const { records } = this.dependencies;
    const options = { where: { owner }, limit: maxListed };
    const [found, uses] = await Promise.all([
      records.list(connectionKind, options),
      records.list(connectionUseKind, options),
    ]);
    const lastUses = new Map(uses.map(({ id, value }) => [id, value]));
    return found.map((record) => toConnection(record, lastUses.get(record.id)));
  }

  async find(owner: string, resource: string): Promise<Connection | undefined> {
    const provider = findProvider(this.dependencies.providers, resource);
    if (!provider) return undefined;
    const { id: providerId, resources } = provider;
    const id = connectionId({ tenant: defaultTenant, owner, providerId, resource: resources[0] });
    const found = await this.dependencies.records.get(connectionKind, id);
    return found && toConnection(found);
  }

  async accountOf(id: string, owner: string): Promise<string | undefined> {
    const { records, keys } = this.dependencies;
    const found = await records.get(connectionKind, id);
    const sealed = found?.value.sealed?.account;
    if (found?.value.owner !== owner || sealed === undefined) return undefined;
    return openAccount(keys, placeOf(id, found.value), sealed);
  }

  async reportRefused(id: string, credentialVersion: number): Promise<void> {
    await reportRefused(id, credentialVersion, this.dependencies);
  }

  async endByProvider(id: string): Promise<boolean> {
    return endByProvider(id, this.dependencies);
  }

  async endByAccount(providerId: string, accountId: string): Promise<number> {
    return endByAccount({ providerId, accountId }, this.#accounts, this.dependencies);
  }
}
