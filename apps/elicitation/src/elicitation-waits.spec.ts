import { InProcessBus } from '@behalf/adapter-memory';
import { elicitationChanged, elicitationStatuses } from '@behalf/contracts';
import { ElicitationWaits } from './elicitation-waits.js';

const isStep = (status: string): boolean => ['pending', 'opened', 'consented'].includes(status);

describe('who waits for a person', () => {
  let bus: InProcessBus;
  let waits: ElicitationWaits;
  beforeEach(() => {
    bus = new InProcessBus({ maxInFlight: 10 });
    waits = new ElicitationWaits();
    waits.follow(bus);
  });
  afterEach(() => bus.close());

  /** Resolves when whoever listens has heard of it. */
  const tell = async (status: (typeof elicitationStatuses)[number]): Promise<void> => {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const last = bus.subscribe(elicitationChanged, () => resolve());
    const data = { id: 'e-1', status, provider: 'github' };
    const { type } = elicitationChanged;
    await bus.publish(elicitationChanged, { id: status, type, sequence: 1, occurredAtMs: 1, data });
    await heard;
    await last.drain();
  };

  it.each(elicitationStatuses.filter((status) => !isStep(status)))(
    'is woken when it ends (%s), and by no step on the way, not even by the first one, heard of late',
    async (end) => {
      let woken = false;
      const waiting = waits.wait('e-1', 60_000).then(() => (woken = true));
      for (const step of elicitationStatuses.filter(isStep)) await tell(step);
      expect(woken).toBe(false);
      await tell(end);
      await waiting;
    },
  );
});
