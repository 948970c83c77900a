import type { Revocation } from '@behalf/contracts';
import { FakeClock } from '@behalf/testing';
import fc from 'fast-check';
import { RevocationView } from './revocation-view.js';

const endMs = 100_000;
const clock = new FakeClock(0);

function viewOf(...revocations: Revocation[]): RevocationView {
  const view = new RevocationView(clock);
  view.load(revocations);
  return view;
}

const revocation = (changes: Partial<Revocation>): Revocation => ({
  kind: 'client',
  id: 'agent',
  revokedAtMs: 1,
  expiresAtMs: endMs * 2,
  ...changes,
});
/** The token of a client, or one that it stands behind in a chain. */
const claims = fc.constantFrom(
  { jti: 'j', client_id: 'agent' },
  { jti: 'j', client_id: 'gateway', act: { sub: 'gateway', act: { sub: 'agent' } } },
);

describe('a client that may act again', () => {
  it('keeps nothing that was issued before, whatever fraction of a second', () => {
    fc.assert(
      fc.property(claims, fc.nat(endMs), fc.nat(endMs), (token, issuedAtMs, issuedUntilMs) => {
        const iat = Math.floor(issuedAtMs / 1000);
        const isRevoked = viewOf(revocation({ issuedUntilMs })).isRevoked({ ...token, iat });
        if (issuedAtMs <= issuedUntilMs) expect(isRevoked).toBe(true);
        if (issuedAtMs >= issuedUntilMs + 1000) expect(isRevoked).toBe(false);
      }),
    );
  });

  it('is refused altogether while suspended, and judged by its last suspension, in whatever order that is heard', () => {
    const episode = fc.record({ suspended: fc.boolean(), afterMs: fc.integer({ min: 1, max: 5_000 }) });
    fc.assert(
      fc.property(fc.array(episode, { minLength: 1, maxLength: 8 }), fc.nat(), (episodes, seed) => {
        let nowMs = 0;
        const heard = episodes.map(({ suspended, afterMs }) => {
          nowMs += afterMs;
          return revocation({ revokedAtMs: nowMs, ...(!suspended && { issuedUntilMs: nowMs }) });
        });
        // Twice each, rotated and reversed: events and snapshots overlap.
        const turn = seed % heard.length;
        const shuffled = [...heard.slice(turn), ...heard.toReversed(), ...heard.slice(0, turn)];
        const view = viewOf(...shuffled);
        const before = { jti: 'j', client_id: 'agent', iat: Math.floor(nowMs / 1000) };
        const after = { ...before, iat: Math.floor(nowMs / 1000) + 1 };
        expect(view.isRevoked(before)).toBe(true);
        expect(view.isRevoked(after)).toBe(episodes.at(-1)!.suspended);
      }),
    );
  });

  it('cannot be told apart from before by a token that does not say when it was issued', () => {
    expect(viewOf(revocation({ issuedUntilMs: 0 })).isRevoked({ jti: 'j', client_id: 'agent' })).toBe(true);
  });

  it.each(['token', 'session', 'transaction'] as const)('is no matter of a %s', (kind) => {
    const view = viewOf(revocation({ kind, id: 'x', issuedUntilMs: 0 }));
    const token = { jti: 'x', grant_id: 'x', sid: 'x', txn: 'x', iat: 50 };
    expect(view.isRevoked(token)).toBe(true);
  });
});
