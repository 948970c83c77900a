import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NatsBus, againSubject, eventStreams, eventSubject } from '@behalf/adapter-nats';
import {
  auditCheckpointSigned,
  decisionMade,
  evaluatePolicy,
  events,
  listRevocations,
  listenerNames,
  policyChanged,
  revocationCreated,
  serviceNames,
  signingKeysRotated,
  tokenExchanged,
} from '@behalf/contracts';
import { type LocalServer, startNats } from '@behalf/local-servers';
import { describeWith } from '@behalf/testing';
import { jest } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, connect, nkeyAuthenticator, nkeys } from '@nats-io/transport-node';
import { natsConfig } from './nats-config.js';
import { type KeyOwner, type ServiceKeys, loadOrCreateServiceKeys } from './service-keys.js';

const soon = { timeoutMs: 2_000 };

describeWith('nats-server')('what a service may do on NATS', () => {
  let folder: string;
  let keys: ServiceKeys;
  let server: LocalServer;
  const open: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-nats-keys-'));
    keys = await loadOrCreateServiceKeys(folder);
    server = await startNats({ config: natsConfig(keys.publicKeys) });
  });
  afterAll(async () => {
    for (const one of open.toReversed()) await one.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  const busOf = async (service: KeyOwner): Promise<NatsBus> => {
    const bus = await NatsBus.open({
      url: server.url,
      service,
      nkeySeed: keys.seeds[service],
      maxInFlight: 10,
      ownsEvents: service === 'authorization-server',
    });
    open.push(bus);
    return bus;
  };
  /** A program that has got hold of a service's key and does with it what it likes. */
  const thiefOf = async (service: KeyOwner): Promise<NatsConnection> => {
    const seed = new TextEncoder().encode(keys.seeds[service]);
    const stolen = {
      servers: server.url,
      authenticator: nkeyAuthenticator(seed),
      inboxPrefix: `_INBOX.${service}`,
      timeout: 5_000,
    };
    // A handshake may get lost, as for everybody else.
    const connection = await connect(stolen).catch(() => connect(stolen));
    open.push(connection);
    return connection;
  };
  /** The first thing that NATS refuses, or undefined when it has refused nothing up to now. */
  const refusalOf = async (connection: NatsConnection, act: () => void): Promise<unknown> => {
    const refused = (async () => {
      for await (const status of connection.status()) if (status.type === 'error') return status.error;
      return undefined;
    })();
    act();
    // The server answers in order: what it refuses it has refused by now.
    await connection.flush();
    return Promise.race([refused, new Promise((resolve) => setImmediate(resolve, undefined))]);
  };

  /** As the observer sees it. */
  const streamOf = async (): Promise<unknown> => {
    const manager = await jetstreamManager(await thiefOf('observer'), { checkAPI: false });
    const { created, state } = await manager.streams.info(eventStreams.changes.name);
    return { created, last: state.last_seq };
  };

  it('keeps its keys', async () => {
    expect(await loadOrCreateServiceKeys(folder)).toEqual(keys);
  });

  it('lets in nobody without a key, nor with one that is not known', async () => {
    const stranger = nkeyAuthenticator(nkeys.createUser().getSeed());
    for (const options of [{}, { authenticator: stranger }])
      await expect(connect({ servers: server.url, reconnect: false, ...options })).rejects.toThrow();
  });

  it('lets services ask each other, and hear their events', async () => {
    const authorization = await busOf('authorization-server');
    const policy = await busOf('policy');
    const gateway = await busOf('gateway');
    authorization.handle(listRevocations, async () => ({ revocations: [], more: false }));
    policy.handle(evaluatePolicy, async () => ({ decision: true }));
    await Promise.all([authorization.announced(), policy.announced()]);
    expect(await gateway.request(listRevocations, {}, soon)).toEqual({ revocations: [], more: false });
    const question = {
      subject: { type: 'user', id: 'alice' },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'x' },
    };
    expect(await gateway.request(evaluatePolicy, question, soon)).toEqual({ decision: true });

    const heard = Promise.withResolvers<string>();
    policy.subscribe(policyChanged, ({ data }) => heard.resolve(data.version));
    await authorization.publish(policyChanged, {
      id: randomUUID(),
      type: policyChanged.type,
      sequence: 1,
      occurredAtMs: 0,
      data: { version: 'v1' },
    });
    expect(await heard.promise).toBe('v1');
  });

  it('lets a service publish no events but the one that owns them', async () => {
    const others = [...serviceNames, ...listenerNames].filter((name) => name !== 'authorization-server');
    for (const service of others) {
      const thief = await thiefOf(service);
      for (const event of [revocationCreated, tokenExchanged])
        expect(await refusalOf(thief, () => thief.publish(eventSubject(event), '{}'))).toBeDefined();
    }
  });

  it.each<[string, (thief: NatsConnection) => void]>([
    [
      'answer for another service',
      (thief) => void thief.subscribe(evaluatePolicy.subject, { queue: 'behalf' }),
    ],
    ['listen in on requests', (thief) => void thief.subscribe(listRevocations.subject)],
    ['listen in on repeated ones', (thief) => void thief.subscribe(againSubject(listRevocations.subject))],
    ['listen to everything', (thief) => void thief.subscribe('>')],
    ["read another service's answers", (thief) => void thief.subscribe('_INBOX.policy.>')],
    ["write into another service's inbox", (thief) => thief.publish('_INBOX.policy.x', 'forged')],
    ['hear events that are not for it', (thief) => thief.publish(consumerOf(signingKeysRotated), '{}')],
    ['hear what others do', (thief) => thief.publish(consumerOf(decisionMade), '{}')],
    ['listen in on events', (thief) => void thief.subscribe('behalf.event.>')],
    ['listen in on what others do', (thief) => void thief.subscribe('behalf.activity.>')],
    ['make a stream of it', (thief) => thief.publish('$JS.API.STREAM.CREATE.BEHALF_ACTIVITY', '{}')],
    ['delete the stream', (thief) => thief.publish('$JS.API.STREAM.DELETE.BEHALF_EVENTS')],
    ['change the stream', (thief) => thief.publish('$JS.API.STREAM.UPDATE.BEHALF_EVENTS', '{}')],
    ['read the stream another way', (thief) => thief.publish('$JS.API.STREAM.MSG.GET.BEHALF_EVENTS', '{}')],
    ['administer the server', (thief) => thief.publish('$SYS.REQ.SERVER.PING')],
  ])('does not let the gateway %s', async (_what, act) => {
    const thief = await thiefOf('gateway');
    expect(await refusalOf(thief, () => act(thief))).toBeDefined();
  });

  it.each<[string, string]>([
    ['delete the stream', '$JS.API.STREAM.DELETE.BEHALF_EVENTS'],
    ['say something in the stream', eventSubject(revocationCreated)],
    ['ask another service', listRevocations.subject],
  ])('attack: the gateway has another service %s, where it wants the answer to go', async (_what, reply) => {
    const authorization = await busOf('authorization-server');
    const policy = await busOf('policy');
    const asked = jest.fn();
    const answering = [
      policy.handle(evaluatePolicy, async () => ({ decision: true })),
      authorization.handle(listRevocations, async () => {
        asked();
        return { revocations: [], more: false };
      }),
    ];
    await Promise.all([policy.announced(), authorization.announced()]);
    const envelope = { id: randomUUID(), type: policyChanged.type, sequence: 1, occurredAtMs: 0 };
    await authorization.publish(policyChanged, { ...envelope, data: { version: 'v1' } });
    const before = await streamOf();
    const thief = await thiefOf('gateway');
    for (const body of ['', '{}']) thief.publish(evaluatePolicy.subject, body, { reply });
    // Each replica answers in the order in which it was asked.
    await thief.flush();
    for (const answered of answering) await answered.drain();
    expect(await streamOf()).toEqual(before);
    expect(asked).not.toHaveBeenCalled();
  });

  it('lets the gateway hear what is for it', async () => {
    const thief = await thiefOf('gateway');
    expect(await refusalOf(thief, () => thief.publish(consumerOf(revocationCreated), '{}'))).toBeUndefined();
  });

  it.each(listenerNames)('lets the %s listen, and do nothing else', async (listener) => {
    const heard: readonly object[] = listener === 'observer' ? events : [auditCheckpointSigned];
    const thief = await thiefOf(listener);
    for (const event of events) {
      const refusal = await refusalOf(thief, () => thief.publish(consumerOf(event), '{}'));
      expect([event.type, refusal === undefined]).toEqual([event.type, heard.includes(event)]);
    }
    for (const subject of [
      evaluatePolicy.subject,
      listRevocations.subject,
      '_INBOX.policy.x',
      '$JS.API.STREAM.CREATE.BEHALF_ACTIVITY',
      '$JS.API.STREAM.PURGE.BEHALF_ACTIVITY',
      '$JS.API.STREAM.MSG.GET.BEHALF_ACTIVITY',
    ])
      expect([subject, await refusalOf(thief, () => thief.publish(subject, '{}'))]).not.toEqual([
        subject,
        undefined,
      ]);
    for (const subject of [evaluatePolicy.subject, 'behalf.>', '_INBOX.policy.>'])
      expect([subject, await refusalOf(thief, () => void thief.subscribe(subject))]).not.toEqual([
        subject,
        undefined,
      ]);
  });

  it('lets an observer hear what the authorization server publishes', async () => {
    const authorization = await busOf('authorization-server');
    const observer = await busOf('observer');
    const heard = Promise.withResolvers<string | undefined>();
    observer.subscribe(tokenExchanged, ({ data }) => heard.resolve(data.client));
    const envelope = { id: randomUUID(), type: tokenExchanged.type, sequence: 0, occurredAtMs: 0 };
    const publication = { contract: tokenExchanged, envelope: { ...envelope, data: { client: 'agent' } } };
    await authorization.publishInOrder([publication]);
    expect(await heard.promise).toBe('agent');
  });
});

function consumerOf(event: Parameters<typeof eventSubject>[0]): string {
  const { name } = eventStreams[event.stream ?? 'changes'];
  return `$JS.API.CONSUMER.CREATE.${name}.mine.${eventSubject(event)}`;
}
