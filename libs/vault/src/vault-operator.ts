import { defaultTenant } from '@behalf/decision-grant';
import type { StoredRecord } from '@behalf/ports';
import {
  type Connection,
  type ConnectionRecord,
  type ConnectionUse,
  connectionKind,
  connectionUseKind,
} from './connection.js';
import { disconnect, disconnectPerson } from './disconnect.js';
import { endByProvider } from './end-by-provider.js';
import { plantDecoy } from './plant-decoy.js';
import type { Disconnected } from './ports.js';
import { type RewrapRun, rewrapBatch } from './rewrap-connections.js';
import type { VaultDependencies } from './vault-dependencies.js';

export interface ConnectionFilter {
  readonly owner?: string | undefined;
  readonly providerId?: string | undefined;
  readonly status?: Connection['status'] | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface WatchedConnection {
  readonly id: string;
  readonly value: Omit<ConnectionRecord, 'sealed'>;
  readonly lastUse: ConnectionUse | undefined;
}

export interface NewDecoy {
  readonly owner: string;
  readonly providerId: string;
  readonly scopes: readonly string[];
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** The vault as its operators use it: they look at it, and end things in it. Nothing here opens a credential for use. */
export class VaultOperator {
  constructor(private readonly dependencies: VaultDependencies) {}

  /** Connections, page by page. A decoy is one among them. */
  async list({ owner, providerId, status, after, limit }: ConnectionFilter): Promise<WatchedConnection[]> {
    const { records } = this.dependencies;
    const where = {
      ...(owner !== undefined && { owner }),
      ...(providerId !== undefined && { providerId }),
      ...(status !== undefined && { status }),
    };
    const page = await records.list(connectionKind, {
      where,
      limit,
      ...(after !== undefined && { afterId: after }),
    });
    if (page.length === 0) return [];
    const uses = await records.list(connectionUseKind, { ids: page.map(({ id }) => id), limit });
    const lastUses = new Map(uses.map((use) => [use.id, use.value]));
    return page.map((record) => withoutSecrets(record, lastUses.get(record.id)));
  }

  /** Ends one, here and at its provider. Undefined when there is none, or it has ended already. */
  async disconnect(id: string): Promise<Disconnected | undefined> {
    const found = await this.dependencies.records.get(connectionKind, id);
    if (!found || found.value.status === 'disconnected') return undefined;
    return disconnect(id, 'disconnected_by_operator', this.dependencies);
  }

  /** Ends everything of a person who left. */
  async offBoard(owner: string): Promise<Disconnected[]> {
    return disconnectPerson(owner, 'person_offboarded', this.dependencies);
  }

  /** Every grant at a provider is over, by its own word: there is nothing to revoke. @returns what was ended */
  async endProvider(providerId: string): Promise<{ id: string; owner: string }[]> {
    const ended: { id: string; owner: string }[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.list({ providerId, after, limit: 100 });
      for (const { id, value } of page)
        if (await endByProvider(id, this.dependencies)) ended.push({ id, owner: value.owner });
      after = page.at(-1)?.id;
      if (after === undefined) return ended;
    }
  }

  /** @returns the id; undefined when the provider is not known, or somebody has a connection there */
  async plantDecoy({ providerId, ...decoy }: NewDecoy): Promise<string | undefined> {
    const provider = this.dependencies.providers.find(({ id }) => id === providerId);
    if (!provider) return undefined;
    const place = { providerId, resource: provider.resources[0], tenant: defaultTenant };
    return plantDecoy({ ...decoy, ...place }, this.dependencies);
  }

  /** One batch of moving every data key to the current key-encryption key. */
  async rewrap(): Promise<RewrapRun> {
    return rewrapBatch(this.dependencies);
  }
}

function withoutSecrets(
  { id, value }: StoredRecord<ConnectionRecord>,
  lastUse: ConnectionUse | undefined,
): WatchedConnection {
  const { sealed: _sealed, ...rest } = value;
  return { id, value: rest, lastUse };
}
