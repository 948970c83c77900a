import { OAuthError } from '@behalf/oauth';
import type { DelegationGrant, DelegationRequest, ExchangeParameters } from './ports.js';
import {
  clientWith,
  exchangeFixture,
  gatewayClient,
  gatewayResource,
  now,
  subjectClaims,
  upstreamResource,
} from './exchange.fixture.js';

const pending = {
  consentUrl: 'https://as.example/c/1',
  requestId: 'r',
  expiresInSeconds: 60,
  intervalSeconds: 5,
};
const grant: DelegationGrant = {
  id: 'd-1',
  scopes: ['mcp:tools'],
  authorizationDetails: [],
  expiresAtSeconds: now + 100,
};

function underGrant(found: DelegationGrant | undefined, subject = subjectClaims()) {
  const asked: DelegationRequest[] = [];
  const fixture = exchangeFixture({ subject });
  const { findTarget } = fixture.dependencies;
  Object.assign(fixture.dependencies, {
    findTarget: (identifier: string) => {
      const target = findTarget(identifier);
      return target && { ...target, delegation: 'grant' as const };
    },
    findDelegationGrant: async () => found,
    requestDelegation: async (request: DelegationRequest) => {
      asked.push(request);
      return pending;
    },
  });
  return { ...fixture, wanted: asked };
}

describe('a target that needs a delegation grant', () => {
  it('narrows scope and lifetime to the grant, and ties the token to it', async () => {
    expect(await underGrant(grant).issued()).toMatchObject({
      scope: 'mcp:tools',
      exp: now + 100,
      delegations: ['d-1'],
    });
    const later = subjectClaims({ delegations: ['d-0'] });
    expect((await underGrant(grant, later).issued()).delegations).toEqual(['d-0', 'd-1']);
  });

  it('says where the person can agree, when there is no grant', async () => {
    const fixture = underGrant(undefined);
    const error = (await fixture.exchange().catch((thrown: unknown) => thrown)) as { toJSON(): object };
    expect(error.toJSON()).toMatchObject({
      error: 'interaction_required',
      interaction_uri: pending.consentUrl,
      request_id: 'r',
      expires_in: 60,
      interval: 5,
    });
    expect(fixture.wanted).toEqual([
      {
        person: 'alice',
        agent: 'gateway',
        resource: upstreamResource,
        nowSeconds: now,
        scopes: ['mcp:tools', 'files:write'],
        authorizationDetails: [],
      },
    ]);
    expect(fixture.recorded).toMatchObject([
      { outcome: 'refused', details: { reason: 'delegation_missing' } },
    ]);
  });

  it.each<[string, Partial<DelegationGrant>, ExchangeParameters]>([
    ['it has ended', { expiresAtSeconds: now }, {}],
    ['it lacks a scope that was asked for by name', {}, { scope: 'mcp:tools files:write' }],
    ['it has none of the scopes', { scopes: ['other'] }, {}],
  ])('asks for another grant when %s', async (_title, changes, parameters) => {
    await expect(underGrant({ ...grant, ...changes }).exchange(parameters)).rejects.toMatchObject({
      code: 'interaction_required',
    });
  });

  it('asks for authorization details that the grant lacks, where they were named, and narrows to it where not', async () => {
    const payment = { type: 'payment', actions: ['initiate', 'status'] };
    const subject = subjectClaims({ authorization_details: [payment] });
    const ceiling = { ...gatewayClient.ceiling!, authorizationDetailsTypes: ['payment'] };
    const client = { ...gatewayClient, ceiling };
    const status = { ...payment, actions: ['status'] };
    const narrow = { ...grant, authorizationDetails: [status] };
    const named = (detail: object) => ({ authorization_details: JSON.stringify([detail]) });
    expect(await underGrant(narrow, subject).issued({}, client)).toMatchObject({
      authorization_details: [status],
    });
    expect(await underGrant(narrow, subject).issued(named(status), client)).toMatchObject({
      authorization_details: [status],
    });
    const asking = underGrant(narrow, subject);
    await expect(asking.exchange(named(payment), client)).rejects.toMatchObject({
      code: 'interaction_required',
    });
    expect(asking.wanted).toMatchObject([{ authorizationDetails: [payment] }]);
  });

  it('says what the person has just said, and not that a part has failed', async () => {
    const fixture = underGrant(undefined);
    fixture.dependencies.requestDelegation = async () =>
      Promise.reject(new OAuthError('access_denied', 'the person said no'));
    await expect(fixture.exchange()).rejects.toMatchObject({ code: 'access_denied' });
    expect(fixture.recorded).toMatchObject([
      { outcome: 'refused', details: { reason: 'delegation_refused' } },
    ]);
  });

  it('never asks a person for more than the client could be given', async () => {
    const fixture = underGrant(undefined);
    await expect(fixture.exchange({ scope: 'admin' })).rejects.toMatchObject({ code: 'invalid_scope' });
    expect(fixture.wanted).toEqual([]);
  });

  it('refuses for good where nobody can be asked, and for now where grants cannot be read', async () => {
    const mute = underGrant(undefined);
    delete mute.dependencies.requestDelegation;
    await expect(mute.exchange()).rejects.toMatchObject({ code: 'invalid_target' });
    const unread = underGrant(undefined);
    delete unread.dependencies.findDelegationGrant;
    await expect(unread.exchange()).rejects.toMatchObject({ code: 'interaction_required' });
    const down = underGrant(undefined);
    down.dependencies.findDelegationGrant = async () => Promise.reject(new Error('down'));
    await expect(down.exchange()).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  });

  it('gives nothing where the grants for two targets have nothing in common', async () => {
    const fixture = underGrant(undefined);
    fixture.dependencies.findDelegationGrant = async ({ resource }) => ({
      ...grant,
      scopes: [resource === upstreamResource ? 'mcp:tools' : 'files:write'],
    });
    const both = { audience: gatewayResource };
    const client = clientWith({ audiences: ['https://*'], maxTargets: 2 });
    await expect(fixture.exchange(both, client)).rejects.toMatchObject({ code: 'invalid_scope' });
    expect(fixture.recorded).toMatchObject([{ details: { reason: 'no_scope_left' } }]);
  });

  it('asks nobody where policy alone decides', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.findDelegationGrant = async () => Promise.reject(new Error('asked'));
    expect((await fixture.issued({}, gatewayClient)).delegations).toBeUndefined();
  });
});
