import type { AuditLeaves, AuditLog, AuditRecord, TreeHead } from '@behalf/audit';

/** Remembers the records it is given, for a test to look at. It has no tree to show. */
export class RememberedAudit implements AuditLog, AuditLeaves {
  constructor(readonly records: AuditRecord[] = []) {}

  async append(record: AuditRecord): Promise<void> {
    this.records.push(record);
  }

  async latest(limit: number): Promise<AuditRecord[]> {
    return this.records.toReversed().slice(0, limit);
  }

  async head(): Promise<TreeHead> {
    return { size: 0, root: new Uint8Array(32) };
  }

  async leaves(): Promise<string[]> {
    return [];
  }

  async tileRoots(): Promise<Uint8Array[]> {
    return [];
  }
}

/** The log given, with another way to append. */
export function appendedBy(append: AuditLog['append'], log: AuditLog & AuditLeaves): AuditLog & AuditLeaves {
  return {
    append,
    latest: (limit) => log.latest(limit),
    head: () => log.head(),
    leaves: (from, limit) => log.leaves(from, limit),
    tileRoots: (from, limit) => log.tileRoots(from, limit),
  };
}
