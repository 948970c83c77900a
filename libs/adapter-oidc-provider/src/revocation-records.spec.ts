import { MemoryRecordStore } from '@behalf/adapter-memory';
import { configSchema } from '@behalf/config';
import { RevocationView } from '@behalf/revocation';
import { FakeClock } from '@behalf/testing';
import { listRevocationsAfter, revocationLifetimeSeconds, writeRevocation } from './revocation-records.js';

const config = configSchema.parse({
  authorizationServer: { signIn: { method: 'local', users: [] } },
  policy: { policies: 'unused' },
  gateway: { clientId: 'gateway', upstreams: {} },
});
/** Of one replica ahead, of another one behind. */
const offMs = 5 * 60_000;

it('attack: a token of a replica whose clock is ahead outlives its revocation at one whose clock is behind', async () => {
  const clock = new FakeClock(Date.now());
  const records = new MemoryRecordStore(clock);
  const { accessTokenSeconds } = config.authorizationServer.lifetimes;
  const expiresAtMs = clock.nowMs() + offMs + accessTokenSeconds * 1000;
  await records.transaction((transaction) =>
    writeRevocation(
      transaction,
      { kind: 'token', id: 'stolen' },
      { nowMs: clock.nowMs() - offMs, lifetimeSeconds: revocationLifetimeSeconds(config) },
    ),
  );
  const told = await listRevocationsAfter(records, undefined, clock.nowMs());
  const view = new RevocationView(clock, () => 0);
  view.load(told.revocations);
  clock.advanceSeconds((expiresAtMs - clock.nowMs()) / 1000);
  // Whoever begins now is told of it, too.
  expect((await listRevocationsAfter(records, undefined, clock.nowMs())).revocations).toEqual(
    told.revocations,
  );
  view.add({ kind: 'token', id: 'another', revokedAtMs: 0, expiresAtMs: Infinity });
  expect(view.isRevoked({ jti: 'stolen' })).toBe(true);
});
