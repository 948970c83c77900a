import { PushedRequests } from './pushed-requests.js';

const alice = { sub: 'alice', client_id: 'editor', aud: 'a', scope: '' };
const accept = (id: string) => ({ kind: 'response' as const, id, body: { result: { action: 'accept' } } });

it('takes the answer of the client that was asked, and of no other person or client', async () => {
  const pushed = new PushedRequests();
  const { id, answer } = pushed.begin(alice)!;
  expect(pushed.settle({ ...alice, sub: 'mallory' }, accept(id))).toBe(false);
  expect(pushed.settle({ ...alice, client_id: 'other' }, accept(id))).toBe(false);
  expect(pushed.settle(alice, accept('behalf-another'))).toBe(false);
  expect(pushed.settle(alice, accept(id))).toBe(true);
  expect(await answer).toBe('accept');
});

it.each([
  ['an error', { error: { code: -1, message: 'no' } }, 'cancel'],
  ['nonsense', { result: { action: 'yes' } }, 'cancel'],
  ['a no', { result: { action: 'decline' } }, 'decline'],
])('takes %s for no consent', async (_what, body, action) => {
  const pushed = new PushedRequests();
  const { id, answer } = pushed.begin(alice)!;
  pushed.settle(alice, { kind: 'response', id, body });
  expect(await answer).toBe(action);
});

it('knows no answer that comes too late, and bounds how many wait', () => {
  const pushed = new PushedRequests();
  const { id, end } = pushed.begin(alice)!;
  end();
  expect(pushed.settle(alice, accept(id))).toBe(false);
  for (let n = 0; n < 1_000; n++) pushed.begin(alice);
  expect(pushed.begin(alice)).toBeUndefined();
});
