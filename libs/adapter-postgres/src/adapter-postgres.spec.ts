import { describeRecordStore } from '@behalf/testing';
import { type OpenedDatabase, SqlRecordStore, migrate, openPglite } from './index.js';

// One database for the suite: starting PGlite takes most of a second.
let opened: OpenedDatabase;
beforeAll(async () => {
  opened = await openPglite('memory://');
  await migrate(opened.db);
});
afterAll(() => opened.close());

describeRecordStore('PGlite', async (clock) => ({
  store: new SqlRecordStore(opened.db, clock),
  committedEvents: async () =>
    opened.db.selectFrom('outbox').select(['type', 'data']).orderBy('position').execute(),
  close: async () => {
    await opened.db.deleteFrom('records').execute();
    await opened.db.deleteFrom('outbox').execute();
  },
}));
