import { setRecords } from '@behalf/shared-signals';
import { ackOf, poll, SignalsStand, streamUpdated } from './signals-stand.fixture.js';

let stand: SignalsStand;
beforeEach(async () => {
  stand = await SignalsStand.start();
});
afterEach(() => stand.close());

describe('polling', () => {
  it('gives a token again until it is acknowledged, and takes acknowledgements for own tokens only', async () => {
    const { stream_id: id } = await stand.makeStream();
    const crm = await stand.tokenOf('crm');
    const other = await stand.makeStream({ method: poll }, crm);
    for (const jti of ['a', 'b']) await stand.revoke(jti);
    const first = await stand.takeNow(id);
    expect(first.map(({ sub_id: { jti } }) => jti)).toEqual(['a', 'b']);
    await stand.takeNow(other.stream_id, crm, ackOf(first));
    expect(await stand.takeNow(id)).toHaveLength(2);
    const { body } = await stand.ask('POST', `/poll/${id}`, { maxEvents: 1, returnImmediately: true });
    expect([Object.keys(body.sets).length, body.moreAvailable]).toEqual([1, true]);
    expect(await stand.takeNow(id, stand.token, ackOf(first))).toEqual([]);
    expect(await stand.takeNow(id)).toEqual([]);
  });

  it('waits for what comes', async () => {
    const { stream_id: id } = await stand.makeStream();
    const waiting = stand.take(id);
    await stand.revoke('late');
    expect((await waiting).map(({ sub_id: { jti } }) => jti)).toEqual(['late']);
  });

  it('holds what happens while a stream is paused, and forgets it while it is disabled', async () => {
    const { stream_id: id } = await stand.makeStream();
    const status = (to: string) =>
      stand.ask('POST', '/status', { stream_id: id, status: to, reason: 'work' });
    expect((await status('paused')).body).toEqual({ stream_id: id, status: 'paused', reason: 'work' });
    await stand.revoke('held');
    expect(await stand.takeNow(id)).toEqual([]);
    await status('enabled');
    const held = await stand.takeNow(id);
    expect(held).toHaveLength(1);
    await stand.takeNow(id, stand.token, ackOf(held));
    await status('disabled');
    await stand.revoke('forgotten');
    await stand.takeNow(id);
    await status('enabled');
    expect(await stand.takeNow(id)).toEqual([]);
  });

  it('says that a stream was disabled in which too much waited, until that is acknowledged', async () => {
    const { stream_id: id } = await stand.makeStream();
    const { records } = stand.agents.server;
    await records.transaction(async (transaction) => {
      for (let n = 0; n < 5_000; n++) {
        const value = { streamId: id, jti: `waiting-${n}`, isAboutStream: false, claims: {} };
        await transaction.put(setRecords, `${id}:${String(n).padStart(15, '0')}:0`, value);
      }
    });
    await stand.revoke('one-more');
    await stand.tellAll();
    const why = { status: 'disabled', reason: 'more was waiting than is kept' };
    expect((await stand.ask('GET', `/status?stream_id=${id}`)).body).toEqual({ stream_id: id, ...why });
    const said = await stand.takeNow(id);
    expect(said).toMatchObject([{ sub_id: { format: 'opaque', id }, events: { [streamUpdated]: why } }]);
    await stand.revoke('unheard');
    expect(await stand.takeNow(id)).toEqual(said);
    expect(await stand.takeNow(id, stand.token, ackOf(said))).toEqual([]);
    await stand.ask('POST', '/status', { stream_id: id, status: 'enabled' });
    expect(await stand.takeNow(id)).toEqual([]);
  });

  it('is verified when asked, not too often', async () => {
    const { stream_id: id } = await stand.makeStream();
    expect((await stand.ask('POST', '/verify', { stream_id: id, state: 'my state' })).status).toBe(204);
    const again = await stand.ask('POST', '/verify', { stream_id: id });
    expect([again.status, Number(again.headers.get('retry-after'))]).toEqual([429, 10]);
    expect(await stand.takeNow(id)).toMatchObject([
      {
        sub_id: { format: 'opaque', id },
        events: { 'https://schemas.openid.net/secevent/ssf/event-type/verification': { state: 'my state' } },
      },
    ]);
  });
});
