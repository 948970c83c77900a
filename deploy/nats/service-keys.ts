import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ListenerName, type ServiceName, listenerNames, serviceNames } from '@behalf/contracts';
import { nkeys } from '@nats-io/transport-node';

/** Whoever may connect to NATS: the services, and programs that listen. */
export type KeyOwner = ServiceName | ListenerName;

export interface ServiceKeys {
  seeds: Record<KeyOwner, string>;
  publicKeys: Record<KeyOwner, string>;
}

/** The keys that programs prove themselves with to NATS: one file each, made when there is none. */
export async function loadOrCreateServiceKeys(folder: string): Promise<ServiceKeys> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const keys = { seeds: {}, publicKeys: {} } as ServiceKeys;
  for (const name of [...serviceNames, ...listenerNames]) {
    const file = join(folder, `${name}.nk`);
    if (!existsSync(file)) await writeFile(file, newSeed(), { mode: 0o600, flag: 'wx' });
    const seed = (await readFile(file, 'utf8')).trim();
    keys.seeds[name] = seed;
    keys.publicKeys[name] = nkeys.fromSeed(new TextEncoder().encode(seed)).getPublicKey();
  }
  return keys;
}

function newSeed(): string {
  return new TextDecoder().decode(nkeys.createUser().getSeed());
}
