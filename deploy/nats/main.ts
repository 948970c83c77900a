import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { natsConfig } from './nats-config.js';
import { loadOrCreateServiceKeys } from './service-keys.js';

// Makes what NATS and the services need to know each other: `node dist/deploy/nats/main.js <folder>` writes the keys
// that are not there yet, `<folder>/keys/<service>.nk`, and `<folder>/services.conf` for nats-server to include.
const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: main.js <folder>');
  process.exit(1);
}
await mkdir(folder, { recursive: true });
const { publicKeys } = await loadOrCreateServiceKeys(join(folder, 'keys'));
await writeFile(join(folder, 'services.conf'), natsConfig(publicKeys));
