import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceNames } from '@behalf/contracts';
import { natsConfig } from '../nats/nats-config.js';
import { loadOrCreateServiceKeys } from '../nats/service-keys.js';

// Makes the secrets of a deployment with docker compose: `node prepare.js <folder>`. What is there already is kept. Each
// folder is a volume that one program mounts, so none sees what another one needs.
const root = process.argv[2] ?? '/prepared';
const keys = join(root, 'keys');
/** The users that the programs run as. */
const users = { node: 1000, nobody: 65534, root: 0 };

const secret = (name: string, bytes = 24) => loadOrCreate(join(keys, name), bytes);
const databasePassword = await secret('postgres');
const redisPassword = await secret('redis');
const sealingKey = Buffer.from(await secret('sealing', 32), 'hex').toString('base64');
const { publicKeys, seeds } = await loadOrCreateServiceKeys(join(keys, 'nats'));

for (const service of serviceNames) {
  const environment = {
    DATABASE_URL: `postgres://behalf:${databasePassword}@postgres:5432/behalf`,
    REDIS_URL: `redis://:${redisPassword}@redis:6379`,
    NATS_URL: 'nats://nats:4222',
    NATS_NKEY_SEED: seeds[service],
    BEHALF_SEALING_KEY: sealingKey,
  };
  const lines = Object.entries(environment).map(([name, value]) => `${name}='${value}'\n`);
  await give(service, 'service.env', lines.join(''), users.node);
}
await give('nats', 'services.conf', natsConfig(publicKeys), users.nobody);
await give(
  'nats',
  'nats.conf',
  'listen: 0.0.0.0:4222\nhttp: 127.0.0.1:8222\njetstream { store_dir: /state }\ninclude services.conf\n',
  users.nobody,
);
await give('redis', 'password', redisPassword, users.nobody);
await give(
  'redis',
  'redis.conf',
  `bind 0.0.0.0\nrequirepass ${redisPassword}\ndir /state\nappendonly yes\nappendfsync always\nmaxmemory-policy noeviction\n`,
  users.nobody,
);
await give('postgres', 'password', databasePassword, users.root);
for (const volume of ['nats-data', 'redis-data']) await chown(join(root, volume), users.nobody, users.nobody);
await chown(join(root, 'files'), users.node, users.node);

/** Written aside and moved into place: a program that starts meanwhile reads all of it or nothing. */
async function give(folder: string, name: string, text: string, owner: number): Promise<void> {
  const file = join(root, folder, name);
  await mkdir(join(root, folder), { recursive: true });
  await writeFile(`${file}.new`, text, { mode: 0o400 });
  await chown(`${file}.new`, owner, owner);
  await rename(`${file}.new`, file);
}

async function loadOrCreate(file: string, bytes: number): Promise<string> {
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const fresh = randomBytes(bytes).toString('hex');
  await writeFile(file, fresh, { mode: 0o600, flag: 'wx', flush: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  return readFile(file, 'utf8');
}
