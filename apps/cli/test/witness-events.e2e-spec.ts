import { randomUUID } from 'node:crypto';
import { watch } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NatsBus } from '@behalf/adapter-nats';
import { type LogSource, parseCheckpoint } from '@behalf/audit';
import { auditCheckpointSigned } from '@behalf/contracts';
import { type LocalServer, startNats } from '@behalf/local-servers';
import { describeWith } from '@behalf/testing';
import { jest } from '@jest/globals';
import { natsConfig } from '../../../deploy/nats/nats-config.js';
import { type ServiceKeys, loadOrCreateServiceKeys } from '../../../deploy/nats/service-keys.js';
import { leafOf, leavesOf, log, noteOf, served } from '../../../libs/audit/src/audit-log.fixture.js';
import { runWitness } from '../src/audit/run-witness.js';

const many = leavesOf(300);
const other = many.with(7, leafOf(9));

describeWith('nats-server')('a witness that hears of heads', () => {
  let folder: string;
  let keys: ServiceKeys;
  let server: LocalServer;
  let issuer: NatsBus;
  let events: NatsBus;
  let logged: readonly string[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-witness-'));
    keys = await loadOrCreateServiceKeys(join(folder, 'keys'));
    server = await startNats({ config: natsConfig(keys.publicKeys) });
    issuer = await open('authorization-server', true);
  });
  afterAll(async () => {
    await issuer.close();
    await server.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    jest.spyOn(console, 'log').mockImplementation(() => {});
    events = await open('witness', false);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await events.close();
  });
  const open = (service: 'witness' | 'authorization-server', ownsEvents: boolean) =>
    NatsBus.open({ url: server.url, service, nkeySeed: keys.seeds[service], maxInFlight: 10, ownsEvents });
  const tell = (checkpoint: string): Promise<void> =>
    issuer.publish(auditCheckpointSigned, {
      id: randomUUID(),
      type: auditCheckpointSigned.type,
      sequence: 1,
      occurredAtMs: 0,
      data: { size: 0, checkpoint },
    });
  /** Asks for the log once, at its start, and would again in an hour. */
  const start = (memory: string) => {
    const source: LogSource = {
      checkpoint: () => served(logged).checkpoint(),
      tile: (tile) => served(logged).tile(tile),
    };
    return runWitness(source, memory, [log], { name: 'w', interval: '3600', once: false, events });
  };
  const signed = async (memory: string, size: number): Promise<void> => {
    const read = async (): Promise<boolean> =>
      readFile(join(memory, 'checkpoint'), 'utf8').then(
        (note) => parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1)).size === size,
        () => false,
      );
    const watching = watch(memory);
    await new Promise<void>((resolve) => {
      const look = (): void => void read().then((is) => is && resolve());
      watching.on('change', look);
      look();
    });
    watching.close();
  };

  it.each<[string, string, string]>([
    ['another log of the same size', noteOf(other.slice(0, 280)), 'forked'],
    ['another log that was larger', noteOf(other), 'forked'],
    ['another log, a while ago', noteOf(other.slice(0, 20)), 'forked'],
    ['what the log has not signed', 'nothing', 'not_signed'],
  ])('signs what is told at once, and raises the alarm for who is told %s', async (_what, note, reason) => {
    const memory = await mkdtemp(join(folder, 'memory-'));
    logged = many.slice(0, 260);
    const running = start(memory);
    await signed(memory, 260);
    logged = many.slice(0, 280);
    await tell(noteOf(many.slice(0, 270)));
    await signed(memory, 270);
    await tell(noteOf(logged));
    await signed(memory, 280);
    // One that comes late is no roll-back.
    await tell(noteOf(many.slice(0, 30)));
    logged = many;
    await tell(note);
    const finding = await running;
    expect(finding).toMatchObject({
      failed: true,
      output: expect.stringContaining(`ALARM: the log was refused: ${reason}`),
    });
    const [kept] = (await readdir(memory)).filter((name) => name.startsWith('refused-'));
    expect(await readFile(join(memory, kept!), 'utf8')).toBe(note);
  });
});
