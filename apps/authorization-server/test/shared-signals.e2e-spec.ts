import { streamRecords } from '@behalf/shared-signals';
import { decodeJwt } from 'jose';
import {
  allEvents,
  credentialChange,
  poll,
  push,
  pushTo,
  sessionRevoked,
  SignalsStand,
  tokenClaimsChange,
} from './signals-stand.fixture.js';
import { agentId, keyPair, tokenExchange } from './test-agents.js';
import { basic, files } from './test-server.js';

let stand: SignalsStand;
beforeEach(async () => {
  stand = await SignalsStand.start();
});
afterEach(() => stand.close());

describe('the transmitter', () => {
  it('says where everything is', async () => {
    const { issuer } = stand.agents.server;
    const response = await fetch(`${issuer}/.well-known/ssf-configuration`);
    expect(await response.json()).toMatchObject({
      spec_version: '1_0',
      issuer,
      jwks_uri: `${issuer}/jwks`,
      delivery_methods_supported: [push, poll],
      configuration_endpoint: `${issuer}/ssf/streams`,
      default_subjects: 'ALL',
    });
  });

  it('lets in receivers that are configured, with a token for signals, and nobody else', async () => {
    const statuses = async (as: string) => (await stand.ask('POST', '/streams', {}, as)).status;
    expect(await statuses('nonsense')).toBe(401);
    expect(await statuses(await stand.tokenOf('operator', `${stand.agents.server.issuer}/admin`))).toBe(401);
    // Has the scope, but nobody said that it may be told.
    expect(await statuses(await stand.tokenOf('operator'))).toBe(403);
    expect(await statuses(await stand.tokenOf('reader'))).toBe(403);
    expect(await statuses(stand.token)).toBe(201);
  });

  it('shows a receiver its own streams only', async () => {
    const { stream_id: id } = await stand.makeStream();
    const crm = await stand.tokenOf('crm');
    const foreign = [
      await stand.ask('GET', `/streams?stream_id=${id}`, undefined, crm),
      await stand.ask('PATCH', '/streams', { stream_id: id, description: 'mine' }, crm),
      await stand.ask('DELETE', `/streams?stream_id=${id}`, undefined, crm),
      await stand.ask('GET', `/status?stream_id=${id}`, undefined, crm),
      await stand.ask('POST', '/status', { stream_id: id, status: 'disabled' }, crm),
      await stand.ask(
        'POST',
        '/subjects/remove',
        { stream_id: id, subject: { format: 'opaque', id: 'x' } },
        crm,
      ),
      await stand.ask('POST', '/verify', { stream_id: id }, crm),
      await stand.ask('POST', `/poll/${id}`, { returnImmediately: true }, crm),
    ];
    expect(foreign.map(({ status }) => status)).toEqual(Array(8).fill(404));
    expect((await stand.ask('GET', '/streams', undefined, crm)).body).toEqual([]);
    expect((await stand.ask('GET', '/streams')).body).toHaveLength(1);
  });

  it('makes, changes and deletes streams', async () => {
    const stream = await stand.makeStream({ method: poll }, stand.token, [sessionRevoked, 'urn:unknown']);
    expect(stream).toMatchObject({
      iss: stand.agents.server.issuer,
      aud: 'https://siem.example',
      events_supported: allEvents,
      events_delivered: [sessionRevoked],
      delivery: { method: poll, endpoint_url: `${stand.agents.server.issuer}/ssf/poll/${stream.stream_id}` },
    });
    const id = stream.stream_id;
    const patched = await stand.ask('PATCH', '/streams', {
      ...stream,
      delivery: undefined,
      events_requested: allEvents,
    });
    expect(patched.body.events_delivered).toEqual(allEvents);
    expect(
      (await stand.ask('PATCH', '/streams', { stream_id: id, aud: 'https://other.example' })).status,
    ).toBe(400);
    const replaced = await stand.ask('PUT', '/streams', { stream_id: id, events_requested: [] });
    expect(replaced.body.events_delivered).toEqual([]);
    expect((await stand.ask('DELETE', `/streams?stream_id=${id}`)).status).toBe(204);
    expect((await stand.ask('GET', `/streams?stream_id=${id}`)).status).toBe(404);
  });

  it('does not keep or show in clear what a receiver wants to see in Authorization', async () => {
    const { stream_id: id } = await stand.makeStream(pushTo('http://127.0.0.1:1/events'));
    const shown = await stand.ask('GET', `/streams?stream_id=${id}`);
    const kept = await stand.agents.server.records.list(streamRecords);
    const audited = stand.agents.server.audit.filter(({ type }) => type === 'shared-signals');
    expect(audited).toHaveLength(1);
    expect(JSON.stringify([shown.body, kept, audited])).not.toContain('what-the-receiver');
  });
});

describe('what is told', () => {
  it('is the end of a sign-in, with the person only to who may know them', async () => {
    const siem = await stand.makeStream();
    const crm = await stand.tokenOf('crm');
    const other = await stand.makeStream({ method: poll }, crm);
    const { access_token: own } = await stand.agents.server.signIn();
    const { sid } = decodeJwt(own) as { sid: string };
    await stand.agents.admin('POST', '/revocations', { kind: 'session', id: sid });
    const [told] = await stand.takeNow(siem.stream_id);
    expect(told).toMatchObject({
      aud: 'https://siem.example',
      sub_id: {
        format: 'complex',
        session: { format: 'opaque', id: sid },
        user: { format: 'iss_sub', iss: stand.agents.server.issuer, sub: 'alice' },
      },
      events: { [sessionRevoked]: { event_timestamp: expect.any(Number) } },
    });
    // A token for signals is good for nothing else.
    expect([told?.exp, told?.sub]).toEqual([undefined, undefined]);
    const [lessTold] = await stand.takeNow(other.stream_id, crm);
    expect(lessTold?.sub_id).toEqual({ format: 'complex', session: { format: 'opaque', id: sid } });
    expect(JSON.stringify(lessTold)).not.toContain('alice');
  });

  it('is what happens to agents', async () => {
    const { stream_id: id } = await stand.makeStream();
    const { body: made } = await stand.agents.create();
    const about = { format: 'complex', application: { format: 'opaque', id: agentId } };
    const path = `/agents/${encodeURIComponent(agentId)}`;
    const ceiling = { audiences: [files], scopes: ['files:write'] };
    await stand.agents.admin('PATCH', path, { ceiling }, { 'if-match': `"${made.version}"` });
    await stand.agents.admin('POST', `${path}/keys`, { key: (await keyPair('next')).publicJwk });
    await stand.agents.change('suspend');
    const told = await stand.takeNow(id);
    expect(told.map(({ events }) => Object.keys(events)[0])).toEqual([
      tokenClaimsChange,
      credentialChange,
      sessionRevoked,
    ]);
    for (const { sub_id: subject } of told) expect(subject).toEqual(about);
    expect(told[0]?.events[tokenClaimsChange]?.claims).toEqual({ scope: 'files:write' });
  });

  it('is nothing that the receiver did not ask for, or took out', async () => {
    const { stream_id: id } = await stand.makeStream({ method: poll }, stand.token, [tokenClaimsChange]);
    const all = await stand.makeStream();
    const subject = { format: 'jwt_id', iss: stand.agents.server.issuer, jti: 'not-of-interest' };
    expect((await stand.ask('POST', '/subjects/remove', { stream_id: all.stream_id, subject })).status).toBe(
      204,
    );
    for (const jti of ['not-of-interest', 'of-interest']) await stand.revoke(jti);
    expect(await stand.takeNow(id)).toEqual([]);
    expect((await stand.takeNow(all.stream_id)).map(({ sub_id: { jti } }) => jti)).toEqual(['of-interest']);
  });

  it('cannot be used as a token', async () => {
    const { stream_id: id } = await stand.makeStream();
    await stand.revoke('x');
    stand.transmitter.wake();
    const { body } = await stand.ask('POST', `/poll/${id}`, {});
    const [set] = Object.values(body.sets as Record<string, string>);
    expect((await stand.ask('GET', '/streams', undefined, set)).status).toBe(401);
    const exchanged = await stand.agents.server.token(
      {
        grant_type: tokenExchange,
        subject_token: set ?? '',
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource: files,
      },
      basic('siem', 'siem-secret'),
    );
    expect(exchanged.status).toBe(400);
  });
});
