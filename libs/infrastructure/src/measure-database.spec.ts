import { InProcessBus } from '@behalf/adapter-memory';
import {
  type OpenedPostgres,
  OutboxRelay,
  SqlRecordStore,
  migrate,
  openPglite,
  openPostgres,
} from '@behalf/adapter-postgres';
import { signingKeysRotated } from '@behalf/contracts';
import { type LocalServer, startPostgres } from '@behalf/local-servers';
import { startMetrics } from '@behalf/telemetry';
import { FakeClock, describeWith, freePort, readMetrics, sumOf } from '@behalf/testing';
import { measureDatabase } from './measure-database.js';

let port: number;
let measuring: Awaited<ReturnType<typeof startMetrics>>;
beforeEach(async () => {
  port = await freePort();
  measuring = await startMetrics({ serviceName: 'test', host: '127.0.0.1', port });
});
afterEach(() => measuring.stop());

describe('behalf.outbox.waiting', () => {
  const waiting = async (service: string) =>
    sumOf(await readMetrics(port), 'behalf_outbox_waiting', { service_name: service });

  it('is how many events are not published: it grows while the relay is held, and goes back to none', async () => {
    const clock = new FakeClock();
    const opened = await openPglite('memory://');
    await migrate(opened.db);
    measureDatabase(opened, { service: 'authorization-server', relays: true });
    measureDatabase(opened, { service: 'gateway', relays: false });
    const store = new SqlRecordStore(opened.db, clock);
    const emit = (count: number): Promise<void> =>
      store.transaction(async (transaction) => {
        for (let n = 0; n < count; n++) await transaction.emit(signingKeysRotated, { kid: `key-${n}` });
      });
    expect(await waiting('authorization-server')).toBe(0);
    await emit(2);
    await emit(3);
    expect(await waiting('authorization-server')).toBe(5);
    const bus = new InProcessBus({ maxInFlight: 10 });
    const relay = new OutboxRelay(opened.db, bus, clock, { sweepIntervalMs: 3_600_000, onError: () => {} });
    await relay.publishSoon();
    await relay.stop();
    expect(await waiting('authorization-server')).toBe(0);
    await emit(1);
    expect(await waiting('authorization-server')).toBe(1);
    // Who carries none cannot say.
    expect(await waiting('gateway')).toBeUndefined();
    await bus.close();
    await opened.close();
    // A database that is away keeps nobody from reading the rest.
    expect(sumOf(await readMetrics(port), 'behalf_event_loop_delay_p99')).toBeDefined();
  });
});

describeWith('postgres')('behalf.database.pool', () => {
  let server: LocalServer;
  let opened: OpenedPostgres;
  beforeAll(async () => {
    server = await startPostgres();
    opened = openPostgres(server.url, { name: 'test', maxConnections: 2 });
  });
  afterAll(async () => {
    await opened?.close();
    await server?.close();
  });

  it('is how many connections there are, how many nobody uses, and how many callers wait', async () => {
    measureDatabase(opened, { service: 'policy', relays: false });
    const pool = async () => {
      const samples = await readMetrics(port);
      return ['total', 'idle', 'waiting'].map((state) =>
        sumOf(samples, 'behalf_database_pool', { service_name: 'policy', state }),
      );
    };
    expect(await pool()).toEqual([0, 0, 0]);
    const held = Promise.withResolvers<void>();
    const hold = (): { isHeld: Promise<void>; ended: Promise<void> } => {
      const isHeld = Promise.withResolvers<void>();
      const ended = opened.db.connection().execute(async () => {
        isHeld.resolve();
        await held.promise;
      });
      return { isHeld: isHeld.promise, ended };
    };
    const holders = [hold(), hold()];
    await Promise.all(holders.map(({ isHeld }) => isHeld));
    expect(await pool()).toEqual([2, 0, 0]);
    const late = [hold(), hold(), hold()];
    // Their turn to ask for one.
    await new Promise(setImmediate);
    expect(await pool()).toEqual([2, 0, 3]);
    held.resolve();
    await Promise.all([...holders, ...late].map(({ ended }) => ended));
    expect(await pool()).toEqual([2, 2, 0]);
  });
});
