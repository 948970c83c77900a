import { type ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { watch } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditRecord, type TreeHead, TreeEdge, hashLeaf } from '@behalf/audit';
import { type LocalServer, startPostgres } from '@behalf/local-servers';
import { describeWith, forkSource } from '@behalf/testing';
import { readEdge } from './audit-leaves.js';
import type { AuditWriterSetup } from './audit-writer.fixture.js';
import { type Database, SqlAuditLog, migrate, openPglite, openPostgres } from './index.js';

const writerFile = join(process.cwd(), 'libs/adapter-postgres/src/audit-writer.fixture.ts');

interface Writer {
  process: ChildProcess;
  acknowledged: () => Promise<string[]>;
  /** Resolves with how many records it was refused. */
  ended: Promise<number>;
}

describe('the audit log, written by processes of their own', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-audit-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const startWriter = async (setup: Omit<AuditWriterSetup, 'acknowledged'>): Promise<Writer> => {
    const acknowledged = join(folder, `${setup.name}.txt`);
    await writeFile(acknowledged, '');
    const writer = forkSource(writerFile, { AUDIT_WRITER: JSON.stringify({ ...setup, acknowledged }) });
    await once(writer, 'message');
    let refused = 0;
    writer.on('message', (said: { refused: number }) => (refused = said.refused));
    return {
      process: writer,
      acknowledged: async () => (await readFile(acknowledged, 'utf8')).split('\n').slice(0, -1),
      ended: once(writer, 'exit').then(() => refused),
    };
  };
  const progress = async (writers: Writer[], count: number): Promise<void> => {
    const counted = async () =>
      (await Promise.all(writers.map((writer) => writer.acknowledged()))).flat().length;
    const end = (await counted()) + count;
    const watcher = watch(folder);
    for await (const _ of on(watcher, 'change')) if ((await counted()) >= end) break;
    watcher.close();
  };
  const kill = async (writer: Writer): Promise<void> => {
    writer.process.kill('SIGKILL');
    await writer.ended;
  };

  /** Nothing acknowledged is missing, nothing is there twice, and every head that was ever seen is of this one log. */
  const checkLog = async (
    db: Database,
    writers: Writer[],
    heads: TreeHead[],
    journal?: string,
  ): Promise<void> => {
    const log = journal
      ? await SqlAuditLog.openJournaled(db, journal, { maxWaiting: 10 })
      : new SqlAuditLog(db, { maxWaiting: 10 });
    await log.place();
    const leaves: string[] = [];
    for (let page: string[]; (page = await log.leaves(leaves.length, 5000)).length > 0;) leaves.push(...page);
    const clients = leaves.map((leaf) => (JSON.parse(leaf) as AuditRecord).client!);
    const found = new Set(clients);
    expect(clients).toHaveLength(found.size);
    const acknowledged = (await Promise.all(writers.map((writer) => writer.acknowledged()))).flat();
    expect(acknowledged.filter((client) => !found.has(client))).toEqual([]);

    const hashes = leaves.map((leaf) => hashLeaf(leaf));
    expect(await readEdge(db)).toEqual(TreeEdge.empty.append(hashes));
    for (const { size, root } of heads)
      expect(root).toEqual(TreeEdge.empty.append(hashes.slice(0, size)).root);
    const tiles = await db.selectFrom('audit_tiles').select('root').orderBy('tile_index').execute();
    expect(tiles.map(({ root }) => root)).toEqual(
      Array.from({ length: Math.floor(hashes.length / 256) }, (_, n) =>
        Buffer.from(TreeEdge.empty.append(hashes.slice(n * 256, n * 256 + 256)).root).toString('base64'),
      ),
    );
  };

  describeWith('postgres')('on one PostgreSQL', () => {
    let server: LocalServer;
    let db: Database;
    let close: () => Promise<void>;
    beforeEach(async () => {
      server = await startPostgres();
      const opened = openPostgres(server.url, { name: 'reader' });
      db = opened.db;
      close = () => opened.close();
      await migrate(db);
    });
    afterEach(async () => {
      await close();
      await server.close();
    });
    const collect = (heads: TreeHead[]): NodeJS.Timeout => {
      const log = new SqlAuditLog(db, { maxWaiting: 1 });
      return setInterval(() => void log.head().then((head) => heads.push(head)), 10);
    };

    it('is one log of eight writers, that loses nothing, repeats nothing and refuses nothing', async () => {
      const heads: TreeHead[] = [];
      const watching = collect(heads);
      const writers = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          startWriter({ database: server.url, name: `writer-${n}`, callers: 8, records: 40 }),
        ),
      );
      const refused = await Promise.all(writers.map(({ ended }) => ended));
      clearInterval(watching);
      await checkLog(db, writers, heads);
      expect((await Promise.all(writers.map((writer) => writer.acknowledged()))).flat()).toHaveLength(
        8 * 8 * 40,
      );
      expect(refused).toEqual(refused.map(() => 0));
    }, 120_000);

    it('misses nothing that was acknowledged by writers that were killed', async () => {
      const heads: TreeHead[] = [];
      const watching = collect(heads);
      const writers: Writer[] = [];
      for (let round = 0; round < 2; round++) {
        const alive = await Promise.all(
          [0, 1].map((n) => startWriter({ database: server.url, name: `writer-${round}-${n}`, callers: 8 })),
        );
        writers.push(...alive);
        await progress(alive, 200);
        await Promise.all(alive.map(kill));
      }
      clearInterval(watching);
      await checkLog(db, writers, heads);
    }, 120_000);

    it('misses nothing that was acknowledged when the server is killed', async () => {
      const writers = await Promise.all(
        [0, 1].map((n) => startWriter({ database: server.url, name: `writer-${n}`, callers: 8 })),
      );
      for (let round = 0; round < 2; round++) {
        await progress(writers, 200);
        await server.process.kill();
        await server.process.start();
      }
      await progress(writers, 200);
      await Promise.all(writers.map(kill));
      await checkLog(db, writers, []);
    }, 120_000);
  });

  it('misses nothing that was acknowledged on an embedded database that was killed with its program', async () => {
    const database = join(folder, 'pg');
    const created = await openPglite(database);
    await migrate(created.db);
    await created.close();
    const writers: Writer[] = [];
    for (let round = 0; round < 3; round++) {
      const writer = await startWriter({ database, name: `writer-${round}`, callers: 8 });
      writers.push(writer);
      await progress([writer], 100);
      await kill(writer);
    }
    const reopened = await openPglite(database);
    await checkLog(reopened.db, writers, [], `${database}.journal`);
    await reopened.close();
  }, 120_000);
});
