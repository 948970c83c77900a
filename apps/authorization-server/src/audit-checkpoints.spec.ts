import { MemoryRecordStore } from '@behalf/adapter-memory';
import { type TreeHead, TreeEdge, hashLeaf, openNote, parseVerifier } from '@behalf/audit';
import { auditCheckpointSigned } from '@behalf/contracts';
import { FakeClock } from '@behalf/testing';
import { AuditCheckpoints } from './audit-checkpoints.js';

const leaves = Array.from({ length: 12 }, (_, n) => `leaf ${n}`);
const headOf = (size: number): TreeHead => ({
  size,
  root: TreeEdge.empty.append(leaves.slice(0, size).map((leaf) => hashLeaf(leaf))).root,
});

describe('AuditCheckpoints', () => {
  it('publishes heads of several processes in the order of their sizes, each once', async () => {
    const records = new MemoryRecordStore(new FakeClock());
    const processSeeing = (...sizes: number[]) =>
      new AuditCheckpoints({
        leaves: {
          head: async () => headOf(sizes.shift()!),
          leaves: async () => [],
          tileRoots: async () => [],
        },
        records,
        origin: 'as.example/audit',
        secret: Buffer.alloc(32, 1),
        onError: () => {},
      });
    const one = processSeeing(10, 10, 12);
    const another = processSeeing(12, 11);
    // Each sees what it saw when it asked, and another may have been quicker since.
    for (const process of [one, one, another, another, one]) await process.publish();
    const published = records.outbox.map(({ data }) => auditCheckpointSigned.data.parse(data));
    expect(published.map(({ size }) => size)).toEqual([10, 12]);
    const verifiers = [parseVerifier(one.verifier)];
    for (const { checkpoint } of published) expect(openNote(checkpoint, verifiers).signers).toHaveLength(1);
  });
});
