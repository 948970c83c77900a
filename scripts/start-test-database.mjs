// Before the suites on servers: one PostgreSQL for all of them, with a migrated database that each copies. What is
// started here is ended by the function that jest finds in the global of the same process.
import { migrate, openPostgres } from '../dist/libs/adapter-postgres/src/index.js';
import { startPostgres } from '../dist/libs/local-servers/src/index.js';
import { sql } from 'kysely';

const template = 'behalf_template';

export default async function startTestDatabase() {
  const server = await startPostgres({ settings: ['max_connections=300'] });
  globalThis.stopTestDatabase = () => server.close();
  const admin = openPostgres(server.url, { name: 'test', maxConnections: 1 });
  await sql.raw(`CREATE DATABASE ${template}`).execute(admin.db);
  await admin.close();
  const url = new URL(`/${template}`, server.url).href;
  const database = openPostgres(url, { name: 'test' });
  const migrating = database.openForMigration();
  await migrate(migrating);
  await migrating.destroy();
  await database.close();
  // Workers inherit it, and take it for the shape they are to run in.
  process.env.BEHALF_TEST_POSTGRES = url;
}
