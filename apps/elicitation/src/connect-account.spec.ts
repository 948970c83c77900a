import type { AuditLog } from '@behalf/audit';
import { defaultTenant } from '@behalf/decision-grant';
import { accountKey, consentRecords } from '@behalf/elicitation';
import { FakeClock, startFakeProvider } from '@behalf/testing';
import {
  TestPolicy,
  type TestVault,
  acmeProvider,
  connect,
  openTestVault,
  resource,
} from '../../../libs/vault/src/vault.fixture.js';
import { connectAccount } from './connect-account.js';
import { EndedAccounts } from './ended-accounts.js';

const person = 'alice';
const tokens = {
  accessToken: 'new',
  tokenType: 'Bearer',
  expiresInSeconds: 3_600,
  refreshToken: undefined,
  scopes: ['read'],
  account: undefined,
  accountId: `id of ${person}`,
  client: undefined,
};

describe('an account that is connected again', () => {
  let acme: Awaited<ReturnType<typeof startFakeProvider>>;
  let clock: FakeClock;
  let vault: TestVault;
  let id: string;
  beforeEach(async () => {
    acme = await startFakeProvider({ refreshTokens: 'rotating' });
    clock = new FakeClock(Date.now());
    vault = openTestVault(await TestPolicy.create(clock), [acmeProvider(acme)], { clock });
    ({ id } = (await connect(vault, acme, person)).connection);
  });
  afterEach(() => acme.close());

  const agreeTo = async (agent: string): Promise<void> => {
    const asker = { person, provider: 'acme', client: 'editor', actors: [agent] };
    const consent = { ...asker, scopes: ['read'], agreedAtMs: clock.nowMs() };
    await vault.records.transaction((transaction) => transaction.put(consentRecords, agent, consent));
    clock.advanceSeconds(1);
  };
  const connectAgain = () =>
    connectAccount(
      { owner: person, tenant: defaultTenant, providerId: 'acme', resource, tokens },
      { vault: vault.vault, ended: new EndedAccounts(vault.records, clock, vault.audit as AuditLog) },
    );
  const agents = async (): Promise<string[]> => {
    const where = { account: accountKey({ person, provider: 'acme' }) };
    return (await vault.records.list(consentRecords, { where })).map((consent) => consent.id);
  };

  it.each<[string, () => Promise<unknown>]>([
    ['its person disconnected', () => vault.vault.disconnect(id, person)],
    ['its provider ended', () => vault.vault.endByAccount('acme', `id of ${person}`)],
  ])(
    'attack: the news is lost of one that %s, and an agent of before is let in silently',
    async (_who, end) => {
      await agreeTo('agent of before');
      await end();
      clock.advanceSeconds(1);
      await agreeTo('agent of now');
      await connectAgain();
      expect(await agents()).toEqual(['agent of now']);
    },
  );

  it('keeps what was agreed to where it only has to be connected anew', async () => {
    await agreeTo('agent');
    await connectAgain();
    expect(await agents()).toEqual(['agent']);
  });
});
