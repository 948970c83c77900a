import {
  exchangeFixture,
  gatewayClient,
  gatewayResource,
  issuer,
  subjectClaims,
  upstreamResource,
} from './exchange.fixture.js';

const key = 'x'.repeat(43);

describe('may_act on request', () => {
  it('RFC 8693 §4.4: names who may act next, when policy permits to name them', async () => {
    const fixture = exchangeFixture();
    const issued = await fixture.issued({ requested_actor: 'helper' });
    expect(issued.may_act).toEqual({ sub: 'helper', iss: issuer });
    expect(fixture.asked.map(({ action, resource }) => [action.name, resource])).toEqual([
      ['exchange', { type: 'audience', id: issued.aud }],
      ['designate', { type: 'agent', id: 'helper', properties: { sub: 'helper' } }],
    ]);
  });

  it('hands a bound token over to a key of the next actor', async () => {
    const issued = await exchangeFixture().issued(
      { requested_actor: 'helper', requested_actor_jkt: key },
      gatewayClient,
      { jkt: 'mine' },
    );
    expect(issued).toMatchObject({ cnf: { jkt: 'mine' }, may_act: { sub: 'helper', cnf: { jkt: key } } });
    const helper = { ...gatewayClient, clientId: 'helper' };
    const next = exchangeFixture({ subject: { ...subjectClaims(), ...issued, jti: 'before' } });
    expect(await next.issued({}, helper, { jkt: key })).toMatchObject({
      act: { sub: 'helper', act: { sub: 'gateway' } },
      cnf: { jkt: key },
    });
  });

  it('is refused when policy does not permit it, though the exchange itself may be', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.decide = async ({ action }) => ({ decision: action.name === 'exchange' });
    await expect(fixture.exchange({ requested_actor: 'helper' })).rejects.toMatchObject({
      code: 'invalid_target',
    });
  });

  it('RFC 8693 §4.4: is never passed on from the subject token: it was about that one', async () => {
    const fixture = exchangeFixture({ subject: subjectClaims({ may_act: { sub: 'gateway' } }) });
    expect(await fixture.issued()).not.toHaveProperty('may_act');
  });

  it.each([
    ['requested_actor is required', { requested_actor_jkt: key }],
    ['requested_actor_jkt is malformed', { requested_actor: 'helper', requested_actor_jkt: 'short' }],
    ['requested_actor_jkt is malformed', { requested_actor: 'helper', requested_actor_jkt: `${key}x` }],
  ])('RFC 7638 §3: says %s to %j', async (description, parameters) => {
    await expect(exchangeFixture().exchange(parameters)).rejects.toMatchObject({
      code: 'invalid_request',
      description,
    });
  });
});

describe('may_act of a token that is bound to a certificate', () => {
  const cnf = { 'x5t#S256': 'certificate' };
  const handsOverTo = { clientId: 'files-server', jkt: key };
  const fixtureWith = () => {
    const fixture = exchangeFixture();
    const { findTarget } = fixture.dependencies;
    fixture.dependencies.findTarget = (id) => ({ ...findTarget(id)!, handsOverTo });
    return fixture;
  };

  it('RFC 8693 §4.4: is the target’s, which its operator named: policy is asked about the exchange alone', async () => {
    const fixture = fixtureWith();
    const issued = await fixture.issued({}, gatewayClient, cnf);
    expect(issued.may_act).toEqual({ sub: 'files-server', iss: issuer, cnf: { jkt: key } });
    expect(fixture.asked.map(({ action }) => action.name)).toEqual(['exchange']);
    const server = { ...gatewayClient, clientId: 'files-server' };
    const next = exchangeFixture({ subject: { ...subjectClaims(), ...issued, jti: 'before' } });
    expect((await next.issued({}, server, { jkt: key })).cnf).toEqual({ jkt: key });
    await expect(next.exchange({}, server, { jkt: 'other' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('is who was asked for, where somebody was', async () => {
    const issued = await fixtureWith().issued({ requested_actor: 'helper' }, gatewayClient, cnf);
    expect(issued.may_act).toEqual({ sub: 'helper', iss: issuer });
  });

  it('is nobody for several targets', async () => {
    const several = {
      ...gatewayClient,
      ceiling: { ...gatewayClient.ceiling!, audiences: ['*'], maxTargets: 2 },
    };
    const resource = [upstreamResource, gatewayResource];
    expect(await fixtureWith().issued({ resource }, several, cnf)).not.toHaveProperty('may_act');
  });
});
