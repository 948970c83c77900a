import { tokenTypes } from '@behalf/oauth';
import {
  clientWith,
  exchangeFixture,
  gatewayClient,
  gatewayResource,
  subjectClaims,
  upstreamResource,
} from './exchange.fixture.js';
import type { TokenClaims } from './ports.js';

const impersonator = clientWith({ impersonation: [upstreamResource] });

describe('impersonation', () => {
  it('RFC 8693 §1.1: names no actor, asks policy for just that, and is marked in the record', async () => {
    const fixture = exchangeFixture();
    const issued = await fixture.issued({}, impersonator);
    expect(issued).toMatchObject({ sub: 'alice', client_id: 'gateway', lineage: ['root-jti'] });
    expect(issued).not.toHaveProperty('act');
    expect(fixture.asked).toMatchObject([
      { action: { name: 'impersonate' }, context: { actors: [{ sub: 'gateway' }] } },
    ]);
    expect(fixture.recorded).toMatchObject([
      { client: 'gateway', actors: [], details: { profile: 'impersonation' } },
    ]);
  });

  it('is not what a client gets that was not given it for this resource', async () => {
    for (const client of [
      gatewayClient,
      clientWith({ impersonation: [] }),
      clientWith({ impersonation: ['x'] }),
    ]) {
      const fixture = exchangeFixture();
      expect((await fixture.issued({}, client)).act).toEqual({ sub: 'gateway' });
      expect(fixture.recorded).toMatchObject([{ details: { profile: 'delegation' } }]);
    }
  });

  it('is not given at several resources for a permission at one of them', async () => {
    const both = { audiences: ['https://*'], maxTargets: 2 };
    const at = async (impersonation: string[]) => {
      const client = clientWith({ ...both, impersonation });
      return (await exchangeFixture().issued({ audience: gatewayResource }, client)).act;
    };
    expect(await at([upstreamResource])).toEqual({ sub: 'gateway' });
    expect(await at([gatewayResource])).toEqual({ sub: 'gateway' });
    expect(await at([upstreamResource, gatewayResource])).toBeUndefined();
  });

  it('is refused when policy does not permit it', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.decide = async ({ action }) => ({ decision: action.name === 'exchange' });
    await expect(fixture.exchange({}, impersonator)).rejects.toMatchObject({ code: 'invalid_target' });
  });

  it.each<[string, Partial<TokenClaims>]>([
    ['has a chain', { act: { sub: 'agent' } }],
    ['names its actor', { may_act: { sub: 'gateway' } }],
    ['is bound to a key', { cnf: { jkt: 'k' } }],
  ])('never applies to a token that %s', async (_title, changes) => {
    const fixture = exchangeFixture({ subject: subjectClaims(changes) });
    expect((await fixture.issued({}, impersonator, { jkt: 'k' })).act).toMatchObject({ sub: 'gateway' });
  });

  it('is not silently given to who brings an actor token', async () => {
    const actor = subjectClaims({ sub: 'gateway', client_id: 'gateway' });
    const fixture = exchangeFixture({ subject: subjectClaims(), actor });
    await expect(
      fixture.exchange({ actor_token: 'actor', actor_token_type: tokenTypes.accessToken }, impersonator),
    ).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
