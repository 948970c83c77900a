import { clientWith, exchangeFixture, gatewayResource, upstreamResource } from './exchange.fixture.js';

const both = clientWith({ audiences: ['https://*'], maxTargets: 2 });
const two = { resource: upstreamResource, audience: gatewayResource };

describe('several targets', () => {
  it('RFC 8693 §2.1: are one token for all of them, for a client that may have that', async () => {
    const fixture = exchangeFixture();
    const issued = await fixture.issued(two, both);
    expect(issued.aud).toEqual([upstreamResource, gatewayResource]);
    expect(fixture.asked.map(({ resource }) => resource.id)).toEqual([upstreamResource, gatewayResource]);
    expect(fixture.recorded).toMatchObject([
      { details: { audience: `${upstreamResource} ${gatewayResource}` } },
    ]);
  });

  it('count once when they are the same', async () => {
    const issued = await exchangeFixture().issued({ resource: [upstreamResource, upstreamResource] });
    expect(issued.aud).toBe(upstreamResource);
  });

  it('RFC 8693 §2.1: get a scope that each of them knows', async () => {
    const fixture = exchangeFixture();
    const { findTarget } = fixture.dependencies;
    fixture.dependencies.findTarget = (identifier) => {
      const target = findTarget(identifier);
      return target && identifier === gatewayResource ? { ...target, scopes: ['mcp:tools'] } : target;
    };
    expect((await fixture.issued(two, both)).scope).toBe('mcp:tools');
  });

  it('are refused when policy denies one of them', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.decide = async ({ resource }) => ({ decision: resource.id === upstreamResource });
    await expect(fixture.exchange(two, both)).rejects.toMatchObject({ code: 'invalid_target' });
  });

  it('are refused when one is unknown, beyond the ceiling, or one too many', async () => {
    for (const [parameters, client] of [
      [{ ...two, audience: 'https://unknown.example' }, both],
      [two, clientWith({ maxTargets: 2 })],
      [two, clientWith({ audiences: ['https://*'] })],
    ] as const) {
      await expect(exchangeFixture().exchange(parameters, client)).rejects.toMatchObject({
        code: 'invalid_target',
      });
    }
  });
});
