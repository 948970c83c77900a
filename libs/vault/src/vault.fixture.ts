import {
  MemoryCache,
  MemoryLeaseStore,
  MemoryOneTimeStore,
  MemoryRateLimiter,
  MemoryRecordStore,
} from '@behalf/adapter-memory';
import { createGuardedRequest } from '@behalf/adapter-http';
import type { AuditRecord } from '@behalf/audit';
import { defaultTenant, issueDecisionGrant, verifyDecisionGrant } from '@behalf/decision-grant';
import { type Clock, type OneTimeStore, systemClock } from '@behalf/ports';
import { KeyRing, LocalKeyEncryptionKey } from '@behalf/sealing';
import { type OAuthProvider, ThirdPartyClient, defaultQuirks } from '@behalf/third-party';
import { type FakeProvider, type TestKeys, testKeys } from '@behalf/testing';
import { createLocalJWKSet } from 'jose';
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { SealedVault } from './sealed-vault.js';
import type { VaultDependencies } from './vault-dependencies.js';

export const resource = 'https://api.acme.example';
const policyIssuer = 'https://policy.example';
const vaultAudience = 'https://vault.example';

export const vaultKey = new LocalKeyEncryptionKey(Buffer.alloc(32, 1));

export function acmeProvider(
  acme: FakeProvider,
  quirks: Partial<OAuthProvider['quirks']> = {},
): OAuthProvider {
  return {
    kind: 'oauth',
    id: 'acme',
    name: 'Acme',
    resources: [resource],
    scopes: { read: 'Read', write: 'Write', share: 'Share' },
    impliedScopes: { write: ['share'] },
    defaultScopes: ['read'],
    internalHosts: [],
    issuer: acme.issuer,
    endpoints: { authorization: `${acme.issuer}/authorize`, token: `${acme.issuer}/token` },
    revocation: { style: 'rfc7009', endpoint: `${acme.issuer}/revoke` },
    client: { id: 'behalf', auth: 'client_secret_basic', secret: () => 'not so secret' },
    quirks: { ...defaultQuirks, ...quirks },
  };
}

/** The policy service's part: it permits everything, and signs it. */
export class TestPolicy {
  private constructor(
    private readonly keys: TestKeys,
    private readonly clock: Clock,
  ) {}

  static async create(clock: Clock = systemClock): Promise<TestPolicy> {
    return new TestPolicy(await testKeys(), clock);
  }

  /** The key pair as it was in another process. */
  static from(keys: TestKeys, clock: Clock = systemClock): TestPolicy {
    return new TestPolicy(keys, clock);
  }

  grant(person = 'alice', more: { scopes?: string[]; resource?: string } = {}): Promise<string> {
    return issueDecisionGrant(
      {
        person,
        actors: [{ sub: 'agent' }, { sub: 'gateway' }],
        clientId: 'agent',
        tenant: defaultTenant,
        resource,
        scopes: ['read'],
        decisionId: randomUUID(),
        ...more,
      },
      {
        signer: this.keys,
        issuer: policyIssuer,
        audience: vaultAudience,
        nowSeconds: Math.floor(this.clock.nowMs() / 1000),
        lifetimeSeconds: 30,
        newId: randomUUID,
      },
    );
  }

  verifier(oneTime: OneTimeStore): VaultDependencies['verifyGrant'] {
    const keys = createLocalJWKSet(this.keys.publicJwks());
    return (token) =>
      verifyDecisionGrant(token, {
        issuer: policyIssuer,
        audience: vaultAudience,
        keys,
        oneTime,
        nowMs: this.clock.nowMs(),
      });
  }
}

export interface TestVault extends VaultDependencies {
  readonly vault: SealedVault;
  readonly audited: AuditRecord[];
  readonly faults: string[];
}

/** A vault in this process; what is given takes the place of what is in memory, so that several can share it. */
export function openTestVault(
  policy: TestPolicy,
  providers: readonly OAuthProvider[],
  given: Partial<VaultDependencies> = {},
): TestVault {
  const clock = given.clock ?? systemClock;
  const audited: AuditRecord[] = [];
  const faults: string[] = [];
  const dependencies: VaultDependencies = {
    records: new MemoryRecordStore(clock),
    keys: new KeyRing(vaultKey),
    leases: new MemoryLeaseStore(clock),
    seenVersions: new MemoryCache(clock, { maxEntries: 10_000 }),
    rateLimiter: new MemoryRateLimiter(clock),
    audit: { append: async (record) => void audited.push(record) },
    clock,
    thirdParties: new ThirdPartyClient({
      http: createGuardedRequest({ allowLoopback: true, maxBytes: 65_536, timeoutMs: 30_000 }),
      clock,
      allowLoopback: true,
      clientMetadataUrl: 'https://behalf.example/client-metadata.json',
      registrations: { get: async () => undefined, keep: async (_uri, client) => client },
    }),
    providers,
    verifyGrant: policy.verifier(new MemoryOneTimeStore(clock)),
    opensPerMinute: 1_000_000,
    wait: (ms) => setTimeout(ms),
    random: Math.random,
    onFault: (what) => void faults.push(what),
    ...given,
  };
  return { ...dependencies, vault: new SealedVault(dependencies), audited, faults };
}

/** Connects a person as their consent would. `endsInSeconds` is what is left of the access token. */
export async function connect(
  { vault }: Pick<TestVault, 'vault'>,
  acme: FakeProvider,
  owner = 'alice',
  endsInSeconds: number | undefined = 3_600,
) {
  const { accessToken, refreshToken, grantId } = acme.grant();
  const connection = await vault.storeConnection({
    owner,
    tenant: defaultTenant,
    providerId: 'acme',
    resource,
    tokens: {
      accessToken,
      tokenType: 'Bearer',
      expiresInSeconds: endsInSeconds,
      refreshToken,
      scopes: ['read', 'write'],
      account: `${owner}@acme.example`,
      accountId: `id of ${owner}`,
      client: undefined,
    },
  });
  return { connection, accessToken, refreshToken, grantId };
}

export const problemOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { problem?: string }) => error.problem ?? 'another error',
  );
