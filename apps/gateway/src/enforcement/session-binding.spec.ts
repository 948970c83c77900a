import { SessionBinding } from './session-binding.js';

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const caller = { sub: 'alice', client_id: 'app' } as never;

it('carries a session on while its key changes, and no longer', () => {
  let keys = [key(1)];
  const binding = new SessionBinding(() => keys);
  const open = (wrapped: string): string | undefined => binding.unwrap('session', 'files', caller, wrapped);
  const old = binding.wrap('session', 'files', caller, 'id');
  keys = [key(1), key(2)];
  expect(open(binding.wrap('session', 'files', caller, 'id'))).toBe('id');
  // Another process may have gone on to the new key already.
  const early = new SessionBinding(() => [key(2), key(1)]).wrap('session', 'files', caller, 'id');
  expect([open(old), open(early)]).toEqual(['id', 'id']);
  keys = [key(2), key(1)];
  expect([open(old), open(early)]).toEqual(['id', 'id']);
  keys = [key(2)];
  expect([open(old), open(early)]).toEqual([undefined, 'id']);
});
