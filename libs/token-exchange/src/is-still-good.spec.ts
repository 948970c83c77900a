import { OAuthError } from '@behalf/oauth';
import { exchangeFixture, gatewayClient, now, parameters } from './exchange.fixture.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { isStillGood } from './is-still-good.js';
import { mintToken } from './mint-token.js';
import type { ExchangeDependencies, MintedToken } from './ports.js';

async function minted(): Promise<MintedToken> {
  const { dependencies } = exchangeFixture();
  const outcome = await mintToken({ client: gatewayClient, parameters, nowSeconds: now }, dependencies);
  if (outcome instanceof ExchangeRefusal) throw outcome;
  return outcome;
}
const need = {
  person: 'alice',
  agent: 'gateway',
  resource: 'r',
  scopes: ['a'],
  isScopeNamed: false,
  authorizationDetails: [],
};
const withGrant = async (): Promise<MintedToken> => ({
  ...(await minted()),
  delegations: [{ grantId: 'd-1', need }],
});
const grant = { id: 'd-1', scopes: ['a'], authorizationDetails: [], expiresAtSeconds: now + 60 };
const checkNotRevoked = async (): Promise<void> => {};

describe('isStillGood', () => {
  it('holds for a token that nothing has ended, until it expires', async () => {
    const token = await minted();
    expect(await isStillGood(token, now + 299, { checkNotRevoked })).toBe(true);
    expect(await isStillGood(token, now + 300, { checkNotRevoked })).toBe(false);
  });

  it('does not hold where revocations cannot be asked for at all', async () => {
    expect(await isStillGood(await minted(), now, {})).toBe(false);
  });

  it('asks about the issued token and every token it came from', async () => {
    const asked: string[][] = [];
    await isStillGood(await minted(), now, {
      checkNotRevoked: async (tokens) => void asked.push(tokens.map(({ jti }) => jti)),
    });
    expect(asked).toStrictEqual([['id-1', 'root-jti']]);
  });

  it.each<[string, boolean, Pick<ExchangeDependencies, 'checkNotRevoked' | 'findDelegationGrant'>]>([
    ['holds with its grant', true, { checkNotRevoked, findDelegationGrant: async () => grant }],
    ['ends with its grant', false, { checkNotRevoked, findDelegationGrant: async () => undefined }],
    [
      'ends with another grant',
      false,
      { checkNotRevoked, findDelegationGrant: async () => ({ ...grant, id: 'd-2' }) },
    ],
    ['ends where grants are not known', false, { checkNotRevoked }],
    [
      'ends by a revocation',
      false,
      { checkNotRevoked: async () => Promise.reject(new OAuthError('invalid_token', 'revoked')) },
    ],
  ])('%s', async (_title, expected, dependencies) => {
    expect(await isStillGood(await withGrant(), now, dependencies)).toBe(expected);
  });

  it('looks for each grant as it was found, at the moment it is asked', async () => {
    const asked: unknown[] = [];
    const token = await withGrant();
    const findDelegationGrant: ExchangeDependencies['findDelegationGrant'] = async (query) => {
      asked.push(query);
      return grant;
    };
    await isStillGood(token, now + 5, { checkNotRevoked, findDelegationGrant });
    expect(asked).toEqual([{ ...need, nowSeconds: now + 5 }]);
  });

  it.each([undefined, 'temporarily_unavailable'] as const)(
    'is not decided when it cannot be known, whatever it failed with (%s)',
    async (code) => {
      const checkFailing = async (): Promise<void> => {
        throw code ? new OAuthError(code, 'down') : new Error('down');
      };
      await expect(isStillGood(await minted(), now, { checkNotRevoked: checkFailing })).rejects.toMatchObject(
        { reason: { kind: 'verification_unavailable' } },
      );
    },
  );
});
