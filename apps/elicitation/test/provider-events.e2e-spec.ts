import { endThirdPartyAccount } from '@behalf/contracts';
import { elicitationRecords } from '@behalf/elicitation';
import { connectionKind } from '@behalf/vault';
import { createHmac } from 'node:crypto';
import { type ForwardSystem, startForwardSystem } from './forward-system.fixture.js';

let system: ForwardSystem;
beforeAll(async () => {
  system = await startForwardSystem();
}, 60_000);
afterAll(() => system.close());

let deliveries = 0;
const revoked = (person: string) => JSON.stringify({ action: 'revoked', account: { id: `id of ${person}` } });
const tell = (body: string, headers: Record<string, string> = {}, provider = 'acme') =>
  system.raw(`/provider-events/${provider}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-acme-delivery': `delivery-${(deliveries += 1)}`,
      'x-acme-signature': createHmac('sha256', 'hush').update(body).digest('hex'),
      ...headers,
    },
    body,
  });
const connectionOf = async (person: string) => (await system.vault.vault.list(person))[0];
const call = async (person: string) =>
  system.call(`${system.host}/user`, { token: await system.token({ sub: person }) });

describe('a provider that tells that a grant is over', () => {
  it('ends the connection of that account and of no other, what was agreed to, and what is waited for', async () => {
    await system.lend('alice');
    await system.lend('bob');
    const asked = await system.call(`${system.host}/user`, {
      token: await system.token({ act: { sub: 'another' }, client_id: 'another' }),
    });
    const waiting = String(asked.json()['elicitation_id']);
    const ended = system.recorded(({ details }) => details?.['step'] === 'account ended');
    expect((await tell(revoked('alice'))).status).toBe(200);
    await ended;
    expect(await connectionOf('alice')).toMatchObject({
      status: 'needs_consent',
      reason: 'revoked_by_provider',
    });
    expect((await system.records.get(elicitationRecords, waiting))?.value.status).toBe('cancelled');
    expect((await call('alice')).json()['error']).toBe('interaction_required');
    expect((await call('bob')).status).toBe(200);
    expect(
      system.audited.map(({ type, details }) => [type, details?.['reason'] ?? details?.['ended']]),
    ).toEqual(
      expect.arrayContaining([
        ['disconnection', 'revoked_by_provider'],
        ['provider-event', 1],
      ]),
    );
    expect(JSON.stringify(system.audited)).not.toContain('id of');
  });

  it('is heard by the authorization server, too, which tells which account it was', async () => {
    await system.lend('erin');
    const end = (provider: string, account: string) =>
      system.bus.request(endThirdPartyAccount, { provider, account }, { timeoutMs: 5_000 });
    expect(await end('acme', 'id of nobody')).toEqual({ ended: 0 });
    expect(await end('another', 'id of erin')).toEqual({ ended: 0 });
    expect((await connectionOf('erin'))?.status).toBe('active');
    expect(await end('acme', 'id of erin')).toEqual({ ended: 1 });
    expect((await connectionOf('erin'))?.status).toBe('needs_consent');
    expect(await end('acme', 'id of erin')).toEqual({ ended: 0 });
  });

  it('is not believed without its signature', async () => {
    await system.lend('carol');
    const body = revoked('carol');
    for (const signature of ['', '0'.repeat(64), createHmac('sha256', 'guess').update(body).digest('hex')])
      expect((await tell(body, { 'x-acme-signature': signature })).status).toBe(401);
    expect((await tell(body, {}, 'other')).status).toBe(404);
    expect((await tell(body, {}, 'constructor')).status).toBe(404);
    expect((await connectionOf('carol'))?.status).toBe('active');
  });

  it('is heard once for each delivery, so that an old one ends nothing new', async () => {
    await system.lend('dave');
    const old = { 'x-acme-delivery': 'the one' };
    const ended = system.recorded(
      ({ person, details }) => person === 'dave' && details?.['step'] === 'account ended',
    );
    expect((await tell(revoked('dave'), old)).status).toBe(200);
    await ended;
    await system.lend('dave');
    expect((await tell(revoked('dave'), old)).status).toBe(409);
    expect((await connectionOf('dave'))?.status).toBe('active');
  });

  it('is heard again when it could not be acted on', async () => {
    await system.lend('erin');
    const once = { 'x-acme-delivery': 'failing' };
    system.recording(false);
    expect((await tell(revoked('erin'), once)).status).toBe(500);
    system.recording(true);
    expect((await tell(revoked('erin'), once)).status).toBe(200);
    expect((await connectionOf('erin'))?.status).toBe('needs_consent');
  });

  it('is not read without end', async () => {
    expect((await tell('x'.repeat(300_000))).status).toBe(413);
    expect((await tell('not JSON')).status).toBe(400);
  });

  it('names the account to nobody who reads the database', async () => {
    await system.lend('frank');
    const rows = await system.records.list(connectionKind);
    expect(JSON.stringify(rows)).not.toContain('id of');
    expect(rows.every(({ value }) => value.accountKey !== undefined)).toBe(true);
  });
});
