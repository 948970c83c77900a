// What a stored credential costs: an exchange for it beside one of our own issuer, then opening it, part by part and as a whole.
import { performance } from 'node:perf_hooks';
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { createLocalJWKSet, exportJWK, generateKeyPair, importJWK, CompactSign } from 'jose';
import {
  MemoryCache,
  MemoryLeaseStore,
  MemoryOneTimeStore,
  MemoryRateLimiter,
  MemoryRecordStore,
} from '../dist/libs/adapter-memory/src/index.js';
import { SqlAuditLog, SqlRecordStore, migrate, openPglite } from '../dist/libs/adapter-postgres/src/index.js';
import { issueDecisionGrant, verifyDecisionGrant } from '../dist/libs/decision-grant/src/index.js';
import { KeyRing, LocalKeyEncryptionKey, open, seal } from '../dist/libs/sealing/src/index.js';
import { SealedVault, connectionKind } from '../dist/libs/vault/src/index.js';
import { poster } from './exchange.mjs';
import { compare, print } from './load.mjs';
import { basic, connectDrive, exchangeForm, personToken } from './tokens.mjs';

const clock = { nowMs: () => Date.now() };
const [issuer, audience, resource] = ['https://policy.bench', 'https://vault.bench', 'https://api.bench'];
const people = 1_000;
const rounds = 2_000;

/** Calls one after the other: microseconds of the median and of the 99th in a hundred. */
async function timed(name, call, times = rounds) {
  for (let nth = 0; nth < times / 10; nth++) await call(nth);
  const took = [];
  for (let nth = 0; nth < times; nth++) {
    const began = performance.now();
    await call(nth);
    took.push((performance.now() - began) * 1000);
  }
  took.sort((one, other) => one - other);
  const at = (share) => Math.round(took[Math.floor(took.length * share)]);
  console.log(
    `  ${name.padEnd(58)} ${String(at(0.5)).padStart(7)} µs   p99 ${String(at(0.99)).padStart(7)} µs`,
  );
}

async function policy() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256' };
  const key = await importJWK(await exportJWK(privateKey), 'ES256');
  const signer = {
    sign: (claims, { typ }) =>
      new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'ES256', kid: 'bench', typ })
        .sign(key),
  };
  const keys = createLocalJWKSet({ keys: [jwk] });
  return {
    grant: (person) =>
      issueDecisionGrant(
        {
          person,
          actors: [{ sub: 'agent' }],
          clientId: 'agent',
          tenant: 'default',
          resource,
          scopes: ['read'],
          decisionId: randomUUID(),
        },
        {
          signer,
          issuer,
          audience,
          nowSeconds: Math.floor(Date.now() / 1000),
          lifetimeSeconds: 60,
          newId: randomUUID,
        },
      ),
    verifier: (oneTime) => (token) =>
      verifyDecisionGrant(token, { issuer, audience, keys, oneTime, nowMs: Date.now() }),
  };
}

function vaultOn(records, audit, keys, decisions) {
  const provider = { kind: 'oauth', id: 'bench', resources: [resource], quirks: {} };
  return new SealedVault({
    records,
    keys,
    audit,
    clock,
    leases: new MemoryLeaseStore(clock),
    seenVersions: new MemoryCache(clock, { maxEntries: people }),
    rateLimiter: new MemoryRateLimiter(clock),
    thirdParties: {},
    providers: [provider],
    verifyGrant: decisions.verifier(new MemoryOneTimeStore(clock)),
    opensPerMinute: 1e9,
    wait: (ms) => setTimeout(ms),
    random: Math.random,
    onFault: (what, error) => console.error(what, error),
  });
}

const connect = (vault, nth) =>
  vault.storeConnection({
    owner: `person-${nth}`,
    tenant: 'default',
    providerId: 'bench',
    resource,
    tokens: {
      accessToken: 'a'.repeat(200),
      tokenType: 'Bearer',
      expiresInSeconds: 7_200,
      refreshToken: 'r'.repeat(100),
      scopes: ['read'],
    },
  });

/** Exchanges over HTTP: our own issuer's, and those for a token that alice's account at Demo Drive has given. */
async function benchExchanges(system) {
  const { cpuMs } = system;
  const authorizationServer = system.url('4000');
  const endpoint = `${authorizationServer}/token`;
  const drive = `${system.url('4011')}/mcp`;
  const own = exchangeForm(
    await personToken(authorizationServer, 'alice', `${system.url('4003')}/mcp/whoami`),
    `${system.url('4010')}/mcp`,
  );
  const stored = {
    ...exchangeForm(await personToken(authorizationServer, 'alice', drive), `${system.url('4030')}/api`),
    scope: 'files.read',
  };
  const gateway = { authorization: basic('demo-gateway') };
  const server = { authorization: basic('demo-drive-server') };
  await connectDrive(endpoint, stored, server, 'alice');
  let count = 0;
  const another = () => `&request_context=${encodeURIComponent(JSON.stringify({ n: String((count += 1)) }))}`;
  const contenders = {
    'own issuer, another each time': { call: poster(endpoint, own, gateway, another), cpuMs },
    'own issuer, the same again (cached)': { call: poster(endpoint, own, gateway), cpuMs },
    'stored token, another each time (opened)': { call: poster(endpoint, stored, server, another), cpuMs },
    'stored token, the same again (cached)': { call: poster(endpoint, stored, server), cpuMs },
  };
  for (const concurrency of [1, 16])
    print(`Exchange, ${concurrency} caller(s)`, await compare(contenders, concurrency));
}

export async function benchVault(system) {
  await benchExchanges(system);

  const kek = new LocalKeyEncryptionKey(Buffer.alloc(32, 1));
  const keys = new KeyRing(kek);
  const decisions = await policy();

  console.log('\nSealing, under a local key');
  const context = { kind: 'bench', id: '1', owner: 'alice', resource };
  const secret = Buffer.alloc(200, 'a');
  const sealed = await seal(kek, secret, context);
  console.log(`  a secret of ${secret.length} bytes takes ${sealed.length} characters`);
  await timed('seal (fresh data key, wrap, encrypt)', () => seal(kek, secret, context));
  await timed('open (unwrap, decrypt)', () => open(keys, sealed, context));

  console.log('\nOpening one credential, one caller after the other');
  await timed('decision grant: sign (the policy service)', () => decisions.grant('person-1'));
  const memory = new MemoryRecordStore(clock);
  const inMemory = vaultOn(memory, { append: async () => {} }, keys, decisions);
  for (let nth = 0; nth < people; nth++) await connect(inMemory, nth);
  const grants = await Promise.all(
    Array.from({ length: rounds * 1.2 }, (_, nth) => decisions.grant(`person-${nth % people}`)),
  );
  let used = 0;
  await timed('vault in memory: verify, claim, find, open', () => inMemory.openForUse(grants[used++]));
  const row = (await memory.list(connectionKind, { limit: 1 }))[0];
  console.log(`  a connection is a record of ${JSON.stringify(row.value).length} characters`);

  const database = await openPglite('memory://');
  await migrate(database.db);
  const records = new SqlRecordStore(database.db, clock);
  const audit = new SqlAuditLog(database.db, { maxWaiting: 4_096 });
  const embedded = vaultOn(records, audit, keys, decisions);
  const few = 200;
  for (let nth = 0; nth < few; nth++) await connect(embedded, nth);
  const more = await Promise.all(
    Array.from({ length: few * 1.2 }, (_, nth) => decisions.grant(`person-${nth % few}`)),
  );
  used = 0;
  await timed(
    'vault on the embedded database, with its audit record',
    () => embedded.openForUse(more[used++]),
    few,
  );
  await database.close();
}
