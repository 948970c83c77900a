import type { AuthorizationDetail } from '@behalf/oauth';
import { exchangeFixture, gatewayClient, subjectClaims, upstreamResource } from './exchange.fixture.js';
import type { RequestingClient } from './ports.js';

const payments: AuthorizationDetail = { type: 'payment', actions: ['read', 'pay'] };
const client = (types: string[] | undefined): RequestingClient => ({
  ...gatewayClient,
  ceiling: { ...gatewayClient.ceiling!, authorizationDetailsTypes: types },
});
const issued = (
  held: AuthorizationDetail[] | undefined,
  asked?: object[],
  types: string[] | undefined = ['payment'],
) =>
  exchangeFixture({ subject: subjectClaims({ authorization_details: held }) }).issued(
    asked === undefined ? {} : { authorization_details: JSON.stringify(asked) },
    client(types),
  );

describe('authorization details through an exchange', () => {
  it('RFC 9396 §9.1: are carried, and RFC 9396 §7: told in the answer', async () => {
    expect((await issued([payments])).authorization_details).toEqual([payments]);
    const fixture = exchangeFixture({ subject: subjectClaims({ authorization_details: [payments] }) });
    expect(await fixture.exchange({}, client(['payment']))).toMatchObject({
      authorization_details: [payments],
    });
    expect(fixture.asked).toMatchObject([{ context: { authorization_details: [payments] } }]);
  });

  it('are absent, not empty, where there are none', async () => {
    expect(await issued(undefined)).not.toHaveProperty('authorization_details');
    expect(await exchangeFixture().exchange()).not.toHaveProperty('authorization_details');
  });

  it('RFC 9396 §6: can be narrowed by the request', async () => {
    const less = [{ type: 'payment', actions: ['read'] }];
    expect((await issued([payments], less)).authorization_details).toEqual(less);
  });

  it('lose the types that the client may not carry; without any, all', async () => {
    const other = { type: 'other' };
    expect((await issued([payments, other])).authorization_details).toEqual([payments]);
    expect(await issued([payments], undefined, [])).not.toHaveProperty('authorization_details');
    const unset = { ...gatewayClient };
    const fixture = exchangeFixture({ subject: subjectClaims({ authorization_details: [payments] }) });
    expect(await fixture.issued({}, unset)).not.toHaveProperty('authorization_details');
  });

  it('RFC 9396 §2.2: keep of their locations the target alone, and are left out when they are for others', async () => {
    const here = { ...payments, locations: [upstreamResource, 'https://other.example'] };
    const elsewhere = { ...payments, locations: ['https://other.example'] };
    expect((await issued([here, elsewhere])).authorization_details).toEqual([
      { ...payments, locations: [upstreamResource] },
    ]);
  });

  it.each<[string, AuthorizationDetail[] | undefined, object[]]>([
    ['that the person did not give', undefined, [payments]],
    ['of another type', [payments], [{ type: 'other' }]],
    ['with one action more', [payments], [{ type: 'payment', actions: ['read', 'delete'] }]],
    ['with its limits left out', [payments], [{ type: 'payment' }]],
    ['one of which is too much', [payments], [payments, { type: 'payment', actions: ['delete'] }]],
  ])('RFC 9396 §5: refuses to give details %s', async (_title, held, asked) => {
    await expect(issued(held, asked)).rejects.toMatchObject({ code: 'invalid_authorization_details' });
  });

  it('RFC 9396 §5: refuses malformed details', async () => {
    const fixture = exchangeFixture();
    await expect(fixture.exchange({ authorization_details: '{' })).rejects.toMatchObject({
      code: 'invalid_authorization_details',
    });
    expect(fixture.recorded).toMatchObject([{ details: { reason: 'authorization_details_malformed' } }]);
  });
});
