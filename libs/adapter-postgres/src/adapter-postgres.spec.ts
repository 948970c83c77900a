import { type LocalServer, startPostgres } from '@behalf/local-servers';
import { describeRecordStore, describeWith } from '@behalf/testing';
import { type OpenedDatabase, SqlRecordStore, migrate, openPglite, openPostgres } from './index.js';

/** One database for the suite: making one takes a second. */
function describeSqlRecordStore(name: string, database: () => OpenedDatabase): void {
  describeRecordStore(name, async (clock) => ({
    store: new SqlRecordStore(database().db, clock),
    committedEvents: async () =>
      database().db.selectFrom('outbox').select(['type', 'data']).orderBy('position').execute(),
    close: async () => {
      await database().db.deleteFrom('records').execute();
      await database().db.deleteFrom('outbox').execute();
    },
  }));
}

describe('embedded', () => {
  let opened: OpenedDatabase;
  beforeAll(async () => {
    opened = await openPglite('memory://');
    await migrate(opened.db);
  });
  afterAll(() => opened.close());
  describeSqlRecordStore('PGlite', () => opened);
});

describeWith('postgres')('server', () => {
  let server: LocalServer;
  let opened: OpenedDatabase;
  beforeAll(async () => {
    server = await startPostgres();
    opened = openPostgres(server.url, { name: 'test' });
    await migrate(opened.db);
  });
  afterAll(async () => {
    await opened.close();
    await server.close();
  });
  describeSqlRecordStore('PostgreSQL', () => opened);
});
