import { InProcessBus } from '@behalf/adapter-memory';
import { signingKeysRotated } from '@behalf/contracts';
import { KeyRotation } from './key-rotation.js';

it('takes new keys also where the event was lost, or the store was away when it came, and reloads for nothing else', async () => {
  let [kid, failures, reloads] = ['first', 0, 0];
  const published = async () => ({ keys: [{ kid }] });
  const news: (() => void)[] = [];
  const holder = {
    reload: async () => {
      if (failures-- > 0) throw new Error('the store is away');
      reloads++;
      news.splice(0).forEach((tell) => tell());
    },
  };
  const reloaded = () => new Promise<void>((resolve) => void news.push(resolve));
  const nothing = { refresh: () => {} };
  const bus = new InProcessBus({ maxInFlight: 10 });
  const seen = { looks: 0 };
  const counted = { publicJwks: () => (seen.looks++, published()) };
  const watching = new KeyRotation(holder, nothing, nothing, counted as never);
  await watching.take();
  const following = watching.follow(bus, { onFault: () => {}, everyMs: 5 });

  failures = 2;
  kid = 'second';
  const second = reloaded();
  const event = { id: 'e', type: signingKeysRotated.type, sequence: 1, occurredAtMs: 0, data: { kid } };
  await bus.publish(signingKeysRotated, event);
  await second;

  kid = 'third';
  await reloaded();
  const before = reloads;
  seen.looks = 0;
  while (seen.looks < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(reloads).toBe(before);
  await following.drain();
});
