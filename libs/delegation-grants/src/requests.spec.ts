import { decideRequest, findRequestFor } from './decide-request.js';
import { delegationFixture, files, mail } from './delegation.fixture.js';
import { findGrant } from './find-grant.js';
import { pollRequest } from './poll-request.js';
import { revokeGrant } from './revoke-grant.js';

let f: ReturnType<typeof delegationFixture>;
beforeEach(() => {
  f = delegationFixture();
});
const refused = (kind: string) => expect.objectContaining({ reason: { kind } });
const decide = (id: string, isApproved = true, person = 'alice') =>
  decideRequest({ id, person, isApproved }, f.clock.nowMs(), f.dependencies);
const poll = (id: string, agent = 'reporter') => pollRequest({ id, agent }, f.clock.nowMs(), f.dependencies);
const granted = (requiredScopes = ['read']) =>
  findGrant(
    f.records,
    { person: 'alice', agent: 'reporter', resource: files, requiredScopes },
    f.clock.nowMs(),
  );

describe('a request for a delegation', () => {
  it('becomes a grant of what was asked when the person approves', async () => {
    const { id, purpose } = await f.ask({ scopes: ['write', 'read'] });
    expect(purpose).toBe('Writes the weekly report');
    await expect(poll(id)).rejects.toEqual(refused('request_pending'));
    expect(await granted()).toBeUndefined();
    const grant = await decide(id);
    expect(grant).toMatchObject({ scopes: ['read', 'write'], origin: 'request', madeBy: 'alice', purpose });
    expect((await granted(['read', 'write']))?.id).toBe(grant?.id);
    await expect(poll(id)).resolves.toBeUndefined();
    expect(f.audit.map(({ details }) => details?.['change'])).toEqual(['ask', 'make', 'approve']);
  });

  it('grants nothing when the person denies, and is not asked again for a while', async () => {
    const { id } = await f.ask();
    expect(await decide(id, false)).toBeUndefined();
    expect(await granted()).toBeUndefined();
    await expect(poll(id)).rejects.toEqual(refused('person_denied'));
    await expect(f.ask()).rejects.toEqual(refused('person_denied'));
    f.clock.advanceSeconds(600);
    await expect(f.ask()).resolves.toMatchObject({ state: 'pending' });
  });

  it('is decided once', async () => {
    const { id } = await f.ask();
    const outcomes = await Promise.allSettled([decide(id), decide(id, false), decide(id)]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(decide(id, false)).rejects.toEqual(refused('request_decided'));
    // An approval that was taken back since is not repeated.
    const grant = await granted();
    if (grant) await revokeGrant(grant, f.alice(), f.dependencies);
    await expect(decide(id)).rejects.toEqual(refused('request_decided'));
    expect(await granted()).toBeUndefined();
  });

  it('is for its person only, who approves, denies and sees it', async () => {
    const { id } = await f.ask();
    const mallory = { id, person: 'mallory' };
    await expect(decide(id, true, 'mallory')).rejects.toEqual(refused('request_of_another_person'));
    await expect(decide(id, false, 'mallory')).rejects.toEqual(refused('request_of_another_person'));
    await expect(findRequestFor(f.records, mallory, f.clock.nowMs())).rejects.toEqual(
      refused('request_of_another_person'),
    );
    expect(await granted()).toBeUndefined();
    await expect(decide(id)).resolves.toBeDefined();
  });

  it('is over after ten minutes', async () => {
    const { id } = await f.ask();
    f.clock.advanceSeconds(600);
    await expect(decide(id)).rejects.toEqual(refused('request_expired'));
    await expect(poll(id)).rejects.toEqual(refused('request_expired'));
    expect(await granted()).toBeUndefined();
    expect((await f.ask()).id).not.toBe(id);
  });

  it('is the same while it waits, and others are bounded', async () => {
    const { id } = await f.ask({ scopes: ['read', 'write'] });
    expect((await f.ask({ scopes: ['write', 'read'] })).id).toBe(id);
    expect((await f.ask({ scopes: ['read', 'write'], resource: mail })).id).not.toBe(id);
    const others = [['read'], ['write'], ['list']];
    for (const scopes of others) expect((await f.ask({ scopes })).id).not.toBe(id);
    await expect(f.ask({ scopes: ['list', 'write'] })).rejects.toEqual(refused('too_many_requests'));
    // Of another agent they are others.
    await expect(f.ask({ agent: 'other' })).resolves.toBeDefined();
  });

  it('asks for nothing that the resource does not have, and for no stranger', async () => {
    await expect(f.ask({ scopes: ['admin'] })).rejects.toEqual(refused('scope_unknown'));
    await expect(f.ask({ agent: 'stranger' })).rejects.toEqual(refused('agent_unknown'));
  });

  it('is not approved for an agent that was stopped meanwhile', async () => {
    const { id } = await f.ask();
    f.agents.delete('reporter');
    await expect(decide(id)).rejects.toEqual(refused('agent_unknown'));
    await expect(poll(id)).rejects.toEqual(refused('request_pending'));
  });

  it('RFC 8628 §3.5: tells the agent to slow down, and nobody else anything', async () => {
    const { id } = await f.ask();
    await expect(poll(id)).rejects.toEqual(refused('request_pending'));
    await expect(poll(id)).rejects.toEqual(refused('polled_too_often'));
    f.clock.advanceSeconds(5);
    await expect(poll(id)).rejects.toEqual(refused('request_pending'));
    await expect(poll(id, 'other')).rejects.toEqual(refused('request_unknown'));
    await expect(poll('made-up')).rejects.toEqual(refused('request_unknown'));
  });
});
