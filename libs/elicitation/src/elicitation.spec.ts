import { OAuthError } from '@behalf/oauth';
import { asked, elicitationsFixture } from './elicitations.fixture.js';
import {
  agreeToElicitation,
  cancelElicitations,
  completeElicitation,
  declineElicitation,
  expireElicitations,
  flowSeconds,
  openElicitation,
} from './change-elicitation.js';
import { consentRecords } from './consent.js';
import { withdrawConsent } from './withdraw-consent.js';
import { elicitationRecords, statusAt } from './elicitation.js';
import {
  renderInputRequired,
  renderPushedRequest,
  renderRequiredError,
  renderToolResult,
} from './render-for-mcp.js';

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) =>
      error instanceof OAuthError
        ? error.code
        : ((error as { reason?: { kind: string } }).reason?.kind ?? String(error)),
  );

describe('asking for a third party token', () => {
  it('offers a link until the person has agreed, and then gives the token', async () => {
    const system = elicitationsFixture();
    const offer = await system.offered();
    expect(offer).toMatchObject({ status: 'pending', url: `https://connect.example/connect?e=${offer.id}` });
    await system.connect(offer.id);
    expect(await system.ask({ requestState: offer.requestState })).toMatchObject({
      outcome: 'token',
      token: { accessToken: 'token-of-alice' },
    });
    expect(system.recorded.map(({ outcome }) => outcome)).toEqual(['refused', 'allowed']);
  });

  it('shows the same link for the same request, and another one for another', async () => {
    const system = elicitationsFixture();
    const { id } = await system.offered();
    expect((await system.offered()).id).toBe(id);
    expect((await system.offered({ scopes: ['files.write'] })).id).not.toBe(id);
    expect(
      (await system.offered({ request: { ...asked.request!, digest: 'sha256-of-others-here' } })).id,
    ).not.toBe(id);
  });

  it('says in the link and in the message nothing about the person', async () => {
    const { url, message, pollUrl } = await elicitationsFixture().offered();
    expect([url, message, pollUrl].join(' ')).not.toContain('alice');
    expect(message).toContain('See your files');
  });

  it('waits for a person who is just at it, and then wants a new decision', async () => {
    const system = elicitationsFixture();
    const { id, requestState } = await system.offered();
    system.waits.push(async () => void (await system.connect(id)));
    expect(await system.ask({ requestState, waitSeconds: 10 })).toMatchObject({
      outcome: 'interaction_required',
      elicitation: { id, status: 'completed' },
    });
    expect(await system.ask({ requestState })).toMatchObject({ outcome: 'token' });
  });

  it('asks again with the same link while the person has not finished', async () => {
    const system = elicitationsFixture();
    const { id, requestState } = await system.offered();
    await openElicitation(system.at(id), system.records);
    expect(await system.ask({ requestState, waitSeconds: 10 })).toMatchObject({
      outcome: 'interaction_required',
      elicitation: { id, status: 'opened' },
    });
  });

  it('does not ask a person who said no by the same request again', async () => {
    const system = elicitationsFixture();
    const { id, requestState } = await system.offered();
    await openElicitation(system.at(id), system.records);
    await declineElicitation(system.at(id), system.records);
    expect(await codeOf(system.ask({ requestState }))).toBe('access_denied');
  });

  it('refuses a resource that nobody configured, and scopes that the provider does not have', async () => {
    const system = elicitationsFixture();
    expect(await codeOf(system.ask({ resource: 'https://elsewhere.example' }))).toBe('invalid_target');
    expect(await codeOf(system.ask({ scopes: ['constructor'] }))).toBe('invalid_scope');
    expect(system.recorded.map(({ details }) => details?.['reason'])).toEqual([
      'provider_unknown',
      'scope_unknown',
    ]);
  });

  it('gives no token that could not be recorded', async () => {
    const system = elicitationsFixture();
    await system.connect((await system.offered()).id);
    system.dependencies.audit.append = async () => {
      throw new Error('disk full');
    };
    await expect(system.ask()).rejects.toThrow('disk full');
  });

  it('bounds what one asker has waiting for one person, and only that asker', async () => {
    const system = elicitationsFixture();
    const numbered = (n: number) => ({
      request: { method: 'tools/call', digest: `sha256-of-call-number-${n}` },
    });
    for (let n = 0; n < 20; n++) await system.offered(numbered(n));
    expect(await codeOf(system.ask(numbered(20)))).toBe('temporarily_unavailable');
    await system.offered({ client: 'another-editor' });
  });
});

describe('consent belongs to one asker', () => {
  it.each([
    ['another client', { client: 'another-editor' }],
    ['another server', { actors: ['mail', 'gateway'] }],
    ['a longer chain', { actors: ['calendar', 'agent', 'gateway'] }],
  ])('is not used by %s, although the account is connected', async (_who, changes) => {
    const system = elicitationsFixture();
    await system.connect((await system.offered()).id);
    expect(await system.ask(changes)).toMatchObject({ outcome: 'interaction_required' });
    expect(await system.ask()).toMatchObject({ outcome: 'token' });
  });

  it('does not cover a scope that was not agreed to, although the provider granted it', async () => {
    const system = elicitationsFixture();
    await system.connect((await system.offered()).id, 'alice', ['files.read', 'files.write']);
    expect(await system.ask({ scopes: ['files.write'] })).toMatchObject({ outcome: 'interaction_required' });
  });

  it('counts only from when the account is connected', async () => {
    const system = elicitationsFixture();
    const { id } = await system.offered();
    await openElicitation(system.at(id), system.records);
    await agreeToElicitation(system.at(id), system.records);
    expect(await system.records.list(consentRecords)).toEqual([]);
  });

  it('finishes what else the same asker was waiting for, and nothing of others', async () => {
    const system = elicitationsFixture();
    const first = await system.offered();
    const second = await system.offered({
      request: { method: 'tools/call', digest: 'sha256-of-others-here' },
    });
    const wider = await system.offered({ scopes: ['files.write'] });
    const others = await system.offered({ client: 'another-editor' });
    await system.connect(first.id);
    const statusOf = async (id: string) => (await system.records.get(elicitationRecords, id))?.value.status;
    expect(await Promise.all([second, wider, others].map(({ id }) => statusOf(id)))).toEqual([
      'completed',
      'pending',
      'pending',
    ]);
  });
});

describe('the request state', () => {
  const attacks: [string, (state: string) => object][] = [
    ['altered', (state) => ({ requestState: `${state.slice(0, -2)}AA` })],
    ['made up', () => ({ requestState: 'behalf-sealed-1.a.b.c' })],
    [
      'for other arguments',
      (requestState) => ({ requestState, request: { ...asked.request!, digest: 'sha256-of-others-here' } }),
    ],
    [
      'for another tool',
      (requestState) => ({ requestState, request: { ...asked.request!, name: 'delete' } }),
    ],
    ['without its request', (requestState) => ({ requestState, request: undefined })],
    ['by another client', (requestState) => ({ requestState, client: 'another-editor' })],
    ['by another server', (requestState) => ({ requestState, actors: ['mail', 'gateway'] })],
    ['for another person', (requestState) => ({ requestState, person: 'mallory' })],
  ];
  it.each(attacks)('is refused when used %s', async (_how, change) => {
    const system = elicitationsFixture();
    const { requestState, id } = await system.offered();
    await system.connect(id);
    expect(await codeOf(system.ask(change(requestState)))).toBe('invalid_request');
  });

  it('is refused after its time, even when the account is connected', async () => {
    const system = elicitationsFixture();
    const { requestState, id } = await system.offered();
    await system.connect(id);
    system.clock.advanceSeconds(901);
    expect(await codeOf(system.ask({ requestState }))).toBe('invalid_request');
  });
});

describe('an elicitation', () => {
  it('does not exist for another person', async () => {
    const system = elicitationsFixture();
    const { id } = await system.offered();
    for (const step of [openElicitation, agreeToElicitation, completeElicitation, declineElicitation])
      expect(await codeOf(step({ ...system.at(id, 'mallory'), version: 1 }, system.records))).toBe(
        'other_person',
      );
    expect(await codeOf(openElicitation(system.at('e-99'), system.records))).toBe('not_found');
  });

  it('is not completed, and not agreed to, before the person has looked', async () => {
    const system = elicitationsFixture();
    const { id } = await system.offered();
    expect(await codeOf(agreeToElicitation(system.at(id), system.records))).toBe('not_consented');
  });

  it('is completed by the later one of two browsers that agreed, once', async () => {
    const system = elicitationsFixture();
    const { id } = await system.offered();
    await openElicitation(system.at(id), system.records);
    const earlier = await agreeToElicitation(system.at(id), system.records);
    const later = await agreeToElicitation(system.at(id), system.records);
    const complete = ({ version }: { version: number }) =>
      codeOf(completeElicitation({ ...system.at(id), version }, system.records));
    expect(await Promise.all([earlier, later, later].map(complete))).toEqual(['superseded', 'none', 'over']);
  });

  it.each(['completed', 'declined', 'cancelled'] as const)('stays %s', async (end) => {
    const system = elicitationsFixture();
    const { id } = await system.offered();
    await openElicitation(system.at(id), system.records);
    if (end === 'completed') await completeElicitation({ ...system.at(id), version: 2 }, system.records);
    if (end === 'declined') await declineElicitation(system.at(id), system.records);
    if (end === 'cancelled')
      await cancelElicitations({ person: 'alice', provider: 'drive' }, system.records, system.clock.nowMs());
    for (const step of [openElicitation, agreeToElicitation, completeElicitation, declineElicitation])
      expect(await codeOf(step({ ...system.at(id), version: 3 }, system.records))).toBe('over');
  });

  it('expires, except for who has just agreed and is at the provider', async () => {
    const system = elicitationsFixture();
    const { id } = await system.offered();
    await openElicitation(system.at(id), system.records);
    system.clock.advanceSeconds(899);
    const { version } = await agreeToElicitation(system.at(id), system.records);
    system.clock.advanceSeconds(flowSeconds - 1);
    const { value } = (await system.records.get(elicitationRecords, id))!;
    expect(statusAt(value, system.clock.nowMs())).toBe('consented');
    system.clock.advanceSeconds(1);
    expect(await codeOf(completeElicitation({ ...system.at(id), version }, system.records))).toBe('over');
  });

  it('is cancelled with everything of its account, and with nothing of others', async () => {
    const system = elicitationsFixture();
    const { id } = await system.offered();
    await system.offered({ person: 'bob' });
    expect(
      await cancelElicitations({ person: 'alice', provider: 'drive' }, system.records, system.clock.nowMs()),
    ).toBe(1);
    expect(await codeOf(openElicitation(system.at(id), system.records))).toBe('over');
    expect((await system.offered({ person: 'bob' })).id).toBe('e-2');
  });
});

describe('what clients are shown', () => {
  it('is the same link in every era', async () => {
    const offer = await elicitationsFixture().offered();
    const { id: elicitationId, url, message, requestState } = offer;
    expect(renderInputRequired(offer)).toEqual({
      resultType: 'input_required',
      inputRequests: {
        'behalf/elicitation': { method: 'elicitation/create', params: { mode: 'url', url, message } },
      },
      requestState,
    });
    const legacy = { mode: 'url', elicitationId, url, message };
    expect(renderPushedRequest(offer)).toEqual({ method: 'elicitation/create', params: legacy });
    expect(renderRequiredError([offer])).toMatchObject({ code: -32042, data: { elicitations: [legacy] } });
    expect(renderToolResult('legacy', offer)).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringContaining(url) }],
    });
  });
});

describe('scopes that give others as well', () => {
  const hierarchical = () => {
    const system = elicitationsFixture();
    const { findProvider } = system.dependencies;
    system.dependencies.findProvider = (identifier) => {
      const provider = findProvider(identifier);
      return provider && { ...provider, impliedScopes: { 'files.write': ['files.read'] } };
    };
    return system;
  };

  it('satisfy who agreed to the larger one, and not the other way round', async () => {
    const system = hierarchical();
    const scopes = ['files.write'];
    await system.connect((await system.offered({ scopes })).id, 'alice', ['files.read', 'files.write']);
    expect((await system.ask({ scopes: ['files.read'] })).outcome).toBe('token');
    await system.connect((await system.offered({ client: 'mail' })).id, 'alice', [
      'files.read',
      'files.write',
    ]);
    expect((await system.ask({ client: 'mail', scopes })).outcome).toBe('interaction_required');
  });

  it('are asked for without what they give as well', async () => {
    const system = hierarchical();
    const { id, message } = await system.offered({ scopes: ['files.read', 'files.write'] });
    expect((await system.records.get(elicitationRecords, id))?.value.scopes).toEqual(['files.write']);
    expect(message).not.toContain('See your files');
    expect((await system.offered({ scopes: ['files.write'] })).id).toBe(id);
  });
});

describe('withdrawing one asker’s consent', () => {
  const consentOf = async (system: ReturnType<typeof elicitationsFixture>, client: string) =>
    (await system.records.list(consentRecords)).find(({ value }) => value.client === client)?.id ?? '';

  it('asks the person again for that one, at its next use, and for no other', async () => {
    const system = elicitationsFixture();
    await system.connect((await system.offered()).id);
    await system.connect((await system.offered({ client: 'mail' })).id);
    const withdrawn = await withdrawConsent(system.at(await consentOf(system, 'editor')), system.records);
    expect(withdrawn).toMatchObject({ consent: { client: 'editor', provider: 'drive' } });
    expect((await system.ask()).outcome).toBe('interaction_required');
    expect((await system.ask({ client: 'mail' })).outcome).toBe('token');
    expect(system.records.outbox.at(-2)).toMatchObject({
      type: 'behalf.third-party-consent.withdrawn',
      data: { owner: 'alice', providerId: 'drive' },
    });
  });

  it('closes what the asker has waiting, so that no old link gives it back', async () => {
    const system = elicitationsFixture();
    await system.connect((await system.offered()).id);
    const more = await system.offered({ scopes: ['files.write'] });
    const others = await system.offered({ client: 'mail' });
    const withdrawn = await withdrawConsent(system.at(await consentOf(system, 'editor')), system.records);
    expect(withdrawn?.cancelled).toBe(1);
    await expect(openElicitation(system.at(more.id), system.records)).rejects.toMatchObject({
      reason: { kind: 'over', status: 'cancelled' },
    });
    await openElicitation(system.at(others.id), system.records);
  });

  it('is nobody else’s to do', async () => {
    const system = elicitationsFixture();
    await system.connect((await system.offered()).id);
    const id = await consentOf(system, 'editor');
    expect(await withdrawConsent(system.at(id, 'mallory'), system.records)).toBeUndefined();
    expect(await withdrawConsent(system.at('none'), system.records)).toBeUndefined();
    expect((await system.ask()).outcome).toBe('token');
  });

  it('reaches a call whose credential is being opened', async () => {
    const system = elicitationsFixture();
    await system.connect((await system.offered()).id);
    const { tokens } = system.dependencies;
    const id = await consentOf(system, 'editor');
    system.dependencies.tokens = {
      use: async (wanted) => {
        await withdrawConsent(system.at(id), system.records);
        return tokens.use(wanted);
      },
    };
    expect((await system.ask()).outcome).toBe('interaction_required');
  });
});

describe('what is told of an elicitation', () => {
  it('is every step, and its end where nobody has finished it in time: once', async () => {
    const { clock, records, at, ...system } = elicitationsFixture();
    const told = (id: string): unknown[] =>
      records.outbox
        .map(({ data }) => data as { id: string; status: string })
        .filter((event) => event.id === id)
        .map(({ status }) => status);
    const left = await system.offered();
    const done = await system.offered({ scopes: ['files.write'] });
    await openElicitation(at(left.id), records);
    await openElicitation(at(done.id), records);
    await declineElicitation(at(done.id), records);
    expect(await expireElicitations(records, clock.nowMs())).toBe(0);
    clock.advanceSeconds(901);
    expect(await expireElicitations(records, clock.nowMs())).toBe(1);
    expect(await expireElicitations(records, clock.nowMs())).toBe(0);
    expect(told(left.id)).toEqual(['pending', 'opened', 'expired']);
    expect(told(done.id)).toEqual(['pending', 'opened', 'declined']);
    expect(await codeOf(agreeToElicitation(at(left.id), records))).toBe('over');
  });
});
