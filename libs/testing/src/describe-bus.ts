import { randomUUID } from 'node:crypto';
import { OAuthError } from '@behalf/oauth';
import { type Bus, type BusError, Deadline, type EventEnvelope, timeLeftMs } from '@behalf/ports';
import { z } from 'zod';

export interface OpenBus {
  bus: Bus;
  close(): Promise<void>;
}

const double = {
  subject: 'behalf.test.number.double',
  request: z.object({ n: z.number() }),
  reply: z.object({ n: z.number() }),
};
const happened = { type: 'behalf.test.happened', data: z.object({ what: z.string() }) };
const soon = { timeoutMs: 2_000 };

function envelope(what: string, sequence = 1): EventEnvelope<{ what: string }> {
  return { id: randomUUID(), type: happened.type, sequence, occurredAtMs: 0, data: { what } };
}

/** What every bus guarantees, and how it fails. */
export function describeBus(name: string, open: () => Promise<OpenBus>): void {
  describe(`bus: ${name}`, () => {
    let opened: OpenBus;
    let bus: Bus;
    beforeEach(async () => {
      opened = await open();
      bus = opened.bus;
    });
    afterEach(() => opened.close());

    const failureOf = (request: Promise<unknown>): Promise<BusError> =>
      request.then(
        () => Promise.reject(new Error('the request was answered')),
        (error: unknown) => error as BusError,
      );

    it('carries a request to its handler and the reply back', async () => {
      bus.handle(double, async ({ n }) => ({ n: n * 2 }));
      expect(await bus.request(double, { n: 21 }, soon)).toEqual({ n: 42 });
    });

    it('tells "nobody there" from "no answer"', async () => {
      expect(await failureOf(bus.request(double, { n: 1 }, soon))).toMatchObject({ reason: 'no_responders' });
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      bus.handle(double, async (payload) => {
        await held;
        return payload;
      });
      expect(await failureOf(bus.request(double, { n: 1 }, { timeoutMs: 20 }))).toMatchObject({
        reason: 'timeout',
      });
      release();
    });

    it('tells whoever answers how long that is waited for: the rest of the request that it is asked in', async () => {
      const { promise: seen, resolve } = Promise.withResolvers<number>();
      bus.handle(double, async (payload) => {
        resolve(timeLeftMs());
        return payload;
      });
      await new Deadline(30_000).run(() => bus.request(double, { n: 1 }, { timeoutMs: 60_000 }));
      const leftMs = await seen;
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(30_000);
    });

    it('asks nothing in a request whose time is over', async () => {
      let calls = 0;
      bus.handle(double, async (payload) => {
        calls++;
        return payload;
      });
      const late = new Deadline(-1).run(() => failureOf(bus.request(double, { n: 1 }, soon)));
      expect(await late).toMatchObject({ reason: 'timeout' });
      await bus.request(double, { n: 1 }, soon);
      expect(calls).toBe(1);
    });

    it('refuses a malformed message before the handler sees it', async () => {
      let calls = 0;
      bus.handle(double, async (payload) => {
        calls++;
        return payload;
      });
      const loose = { ...double, request: z.any() };
      for (const payload of [undefined, null, {}, { n: '1' }, [], 'text']) {
        expect(await failureOf(bus.request(loose, payload, soon))).toMatchObject({
          reason: 'malformed_request',
        });
      }
      expect(calls).toBe(0);
    });

    it('refuses a malformed reply on the side of the caller', async () => {
      bus.handle({ ...double, reply: z.any() }, async () => ({ n: 'not a number' }));
      expect(await failureOf(bus.request(double, { n: 1 }, soon))).toMatchObject({
        reason: 'malformed_reply',
      });
    });

    it('carries an OAuth error across', async () => {
      bus.handle(double, async () => {
        throw new OAuthError('invalid_target', 'no such resource');
      });
      expect(await failureOf(bus.request(double, { n: 1 }, soon))).toMatchObject({
        reason: 'refused',
        refusal: { error: 'invalid_target', error_description: 'no such resource' },
      });
    });

    it('answers any other failure as server_error and keeps its message back', async () => {
      bus.handle(double, async () => {
        throw new Error('the password is hunter2');
      });
      const failure = await failureOf(bus.request(double, { n: 1 }, soon));
      expect(failure).toMatchObject({ reason: 'refused', refusal: { error: 'server_error' } });
      expect(JSON.stringify(failure)).not.toContain('hunter2');
    });

    it('stops waiting when the caller gives up', async () => {
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      bus.handle(double, async (payload) => {
        await held;
        return payload;
      });
      const caller = new AbortController();
      const request = failureOf(bus.request(double, { n: 1 }, { ...soon, signal: caller.signal }));
      caller.abort();
      expect(await request).toMatchObject({ name: 'AbortError' });
      release();
    });

    it('waits for running handlers when it is drained, and takes no new work', async () => {
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      const { promise: started, resolve: start } = Promise.withResolvers<void>();
      const subscription = bus.handle(double, async (payload) => {
        start();
        await held;
        return payload;
      });
      const running = bus.request(double, { n: 7 }, soon);
      await started;
      const drained = subscription.drain();
      release();
      await drained;
      expect(await running).toEqual({ n: 7 });
      expect(await failureOf(bus.request(double, { n: 1 }, soon))).toMatchObject({ reason: 'no_responders' });
    });

    it('fails later requests with no_responders once it is closed', async () => {
      bus.handle(double, async (payload) => payload);
      await bus.close();
      expect(await failureOf(bus.request(double, { n: 1 }, soon))).toMatchObject({ reason: 'no_responders' });
    });

    it('delivers an event to every subscriber, in order, as it was published', async () => {
      const seen: EventEnvelope<{ what: string }>[][] = [[], []];
      const { promise: all, resolve: done } = Promise.withResolvers<void>();
      for (const events of seen) {
        bus.subscribe(happened, (event) => {
          events.push(event);
          if (seen.every(({ length }) => length === 2)) done();
        });
      }
      const published = [envelope('first', 1), envelope('second', 2)];
      for (const event of published) await bus.publish(happened, event);
      await all;
      expect(seen).toEqual([published, published]);
    });

    it.each(['changes', 'activity'] as const)('publishes several of %s in their order', async (stream) => {
      const contract = { ...happened, type: `behalf.test.happened-in-${stream}`, stream };
      const seen: EventEnvelope<unknown>[] = [];
      const { promise: all, resolve: done } = Promise.withResolvers<void>();
      bus.subscribe(contract, (event) => void (seen.push(event) === 50 && done()));
      const published = Array.from({ length: 50 }, (_, n) => ({
        contract,
        envelope: { ...envelope(`event ${n}`, n), type: contract.type },
      }));
      await bus.publishInOrder(published);
      await bus.publishInOrder([]);
      await all;
      expect(seen).toEqual(published.map((one) => one.envelope));
    });

    it('keeps one failing listener from the others, and from the next event', async () => {
      const { promise: both, resolve: done } = Promise.withResolvers<void>();
      let [failures, heardLast] = [0, false];
      // One listener may be ahead of the other.
      const check = (): void => {
        if (failures === 2 && heardLast) done();
      };
      bus.subscribe(happened, () => {
        failures++;
        check();
        throw new Error('a listener failed');
      });
      bus.subscribe(happened, (event) => {
        heardLast ||= event.sequence === 2;
        check();
      });
      await bus.publish(happened, envelope('first', 1));
      await bus.publish(happened, envelope('second', 2));
      await both;
      expect(failures).toBe(2);
    });

    it('attack: an event of one kind is told again as one of another', async () => {
      const { promise: heard, resolve: hear } = Promise.withResolvers<EventEnvelope<unknown>>();
      bus.subscribe(happened, hear);
      await bus.publish(happened, { ...envelope('another', 1), type: 'behalf.test.another' });
      await bus.publish(happened, envelope('this', 2));
      expect(await heard).toMatchObject({ sequence: 2 });
    });

    it('publishes to nobody without an error, and to nobody who has unsubscribed', async () => {
      let seen = 0;
      const subscription = bus.subscribe(happened, () => void seen++);
      await subscription.drain();
      await bus.publish(happened, envelope('unheard'));
      expect(seen).toBe(0);
    });
  });
}
