import { MemoryOneTimeStore } from '@behalf/adapter-memory';
import type { McpResponse } from '@behalf/mcp';
import type { OneTimeStore } from '@behalf/ports';
import { FakeClock } from '@behalf/testing';
import { PushedRequests } from './pushed-requests.js';

const alice = { sub: 'alice', client_id: 'editor', aud: 'a', scope: '' };
const respond = (id: string, body: McpResponse['body']): McpResponse => ({
  kind: 'response',
  id,
  body,
});
const accept = (id: string) => respond(id, { result: { action: 'accept' } });

/** Two gateways that share a store. */
function gateways(store: OneTimeStore = new MemoryOneTimeStore(new FakeClock())) {
  return { asking: new PushedRequests(store), other: new PushedRequests(store) };
}

describe.each(['asking', 'other'] as const)('an answer that comes to the %s gateway', (which) => {
  it('is that of the client that was asked, and of no other person or client, once', async () => {
    const system = gateways();
    const { id, answer, end } = (await system.asking.begin(alice))!;
    const settled = system[which];
    expect(await settled.settle({ ...alice, sub: 'mallory' }, accept(id))).toBe(false);
    expect(await settled.settle({ ...alice, client_id: 'other' }, accept(id))).toBe(false);
    expect(await settled.settle(alice, accept(id.replace(/.$/, '_')))).toBe(false);
    expect(await settled.settle(alice, accept('behalf-11111111-1111-1111-1111-111111111111'))).toBe(false);
    expect(await settled.settle(alice, accept(id))).toBe(true);
    // A second one changes nothing.
    await settled.settle(alice, respond(id, { result: { action: 'decline' } }));
    expect(await answer).toBe('accept');
    end();
  });

  it.each<[string, McpResponse['body'], string]>([
    ['an error', { error: { code: -1, message: 'no' } }, 'cancel'],
    ['nonsense', { result: { action: 'yes' } }, 'cancel'],
    ['a no', { result: { action: 'decline' } }, 'decline'],
  ])('is no consent when it is %s', async (_what, body, action) => {
    const system = gateways();
    const { id, answer, end } = (await system.asking.begin(alice))!;
    await system[which].settle(alice, respond(id, body));
    expect(await answer).toBe(action);
    end();
  });

  it('is too late when nobody waits any more', async () => {
    const system = gateways();
    const { id, end } = (await system.asking.begin(alice))!;
    end();
    expect(await system[which].settle(alice, accept(id))).toBe(false);
  });
});

it('waits for no more than can be kept', async () => {
  const { asking } = gateways();
  const begun = [];
  for (let n = 0; n < 1_000; n++) begun.push((await asking.begin(alice))!);
  expect(await asking.begin(alice)).toBeUndefined();
  begun.forEach(({ end }) => end());
  const again = await asking.begin(alice);
  again?.end();
  expect(again).toBeDefined();
});

it('does without the store where the answer comes to the gateway that asked', async () => {
  const away = () => Promise.reject(new Error('away'));
  const { asking, other } = gateways({ put: away, take: away, claim: away });
  const { id, answer, end } = (await asking.begin(alice))!;
  expect(await other.settle(alice, accept(id))).toBe(false);
  expect(await asking.settle(alice, accept(id))).toBe(true);
  expect(await answer).toBe('accept');
  end();
});
