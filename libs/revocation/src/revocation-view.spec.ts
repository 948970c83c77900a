import type { Revocation, RevocationKind } from '@behalf/contracts';
import { FakeClock } from '@behalf/testing';
import { RevocationView } from './revocation-view.js';

const claims = {
  jti: 'j1',
  client_id: 'gateway',
  grant_id: 'g1',
  sid: 's1',
  txn: 't1',
  lineage: ['j-root', 'j-parent'],
  delegations: ['d-first', 'd-last'],
  act: { sub: 'gateway', act: { sub: 'sub-of-agent', client_id: 'agent', act: { sub: 'first' } } },
};

describe('RevocationView', () => {
  let clock: FakeClock;
  let view: RevocationView;
  beforeEach(() => {
    clock = new FakeClock();
    view = new RevocationView(clock);
  });

  const revocation = (kind: RevocationKind, id: string, seconds = 60): Revocation => ({
    kind,
    id,
    revokedAtMs: clock.nowMs(),
    expiresAtMs: clock.nowMs() + seconds * 1000,
  });

  it('says nothing while nothing has been loaded, not even "not revoked"', () => {
    view.add(revocation('token', 'other'));
    expect(view.isCurrent).toBe(false);
    expect(() => view.isRevoked(claims)).toThrow();
  });

  it.each([
    ['token', 'j1'],
    ['token', 'j-root'],
    ['token', 'j-parent'],
    ['grant', 'g1'],
    ['grant', 'd-first'],
    ['grant', 'd-last'],
    ['session', 's1'],
    ['transaction', 't1'],
    ['client', 'gateway'],
    ['client', 'agent'],
    ['client', 'first'],
  ] as const)('ends a token by its %s %s', (kind, id) => {
    view.load([]);
    expect(view.isRevoked(claims)).toBe(false);
    view.add(revocation(kind, id));
    expect(view.isRevoked(claims)).toBe(true);
  });

  it('ends by a narrowed grant what was issued before, and nothing later', () => {
    view.load([]);
    const nowMs = clock.nowMs();
    view.add({ ...revocation('grant', 'd-last'), issuedUntilMs: nowMs });
    const issuedAt = (ms: number) => ({ ...claims, iat: Math.floor(ms / 1000) });
    expect(view.isRevoked(issuedAt(nowMs))).toBe(true);
    expect(view.isRevoked(issuedAt(nowMs + 1000))).toBe(false);
    expect(view.isRevoked(claims)).toBe(true);
    // Revoked after all, the grant ends those, too.
    view.add({ ...revocation('grant', 'd-last'), revokedAtMs: nowMs + 1 });
    expect(view.isRevoked(issuedAt(nowMs + 1000))).toBe(true);
  });

  it('keeps kinds apart', () => {
    view.load([revocation('token', 'g1'), revocation('grant', 'j1'), revocation('session', 'gateway')]);
    expect(view.isRevoked(claims)).toBe(false);
  });

  it('touches no token by a claim that it lacks', () => {
    view.load([revocation('grant', 'undefined'), revocation('session', '')]);
    expect(view.isRevoked({ jti: 'j2' })).toBe(false);
  });

  it('keeps what arrived as an event before the snapshot', () => {
    view.add(revocation('token', 'j1'));
    view.load([]);
    expect(view.isRevoked(claims)).toBe(true);
  });

  it('forgets a revocation when nothing it can touch is alive, not before', () => {
    view.load([revocation('token', 'j1', 60)]);
    clock.advanceSeconds(59);
    view.add(revocation('token', 'other'));
    expect(view.isRevoked(claims)).toBe(true);
    clock.advanceSeconds(1);
    view.add(revocation('token', 'another'));
    expect(view.isRevoked(claims)).toBe(false);
  });

  it('takes an event twice as well as once', () => {
    view.load([]);
    view.add(revocation('token', 'j1'));
    view.add(revocation('token', 'j1'));
    expect(view.isRevoked(claims)).toBe(true);
  });

  it('keeps the longer of two revocations of the same thing', () => {
    view.load([revocation('token', 'j1', 60), revocation('token', 'j1', 10)]);
    clock.advanceSeconds(30);
    view.add(revocation('token', 'other'));
    expect(view.isRevoked(claims)).toBe(true);
  });
});
