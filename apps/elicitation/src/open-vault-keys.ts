import { localKeyFrom } from '@behalf/adapter-local-key';
import type { BehalfConfig, VaultKeyConfig } from '@behalf/config';
import { type KeyEncryptionKey, KeyRing } from '@behalf/sealing';

type Environment = Readonly<Record<string, string | undefined>>;

/** The keys that the vault seals under: the configured one, or that of the data folder. */
export function openVaultKeys(
  { key, formerKeys }: BehalfConfig['elicitation']['vault'],
  ofDataFolder: KeyEncryptionKey,
  environment: Environment,
): KeyRing {
  const former = formerKeys.map((config) => openKey(config, environment));
  // What was sealed before there was a key of the vault's own goes on opening.
  return key
    ? new KeyRing(openKey(key, environment), [...former, ofDataFolder])
    : new KeyRing(ofDataFolder, former);
}

function openKey(config: VaultKeyConfig, environment: Environment): KeyEncryptionKey {
  switch (config.kind) {
    case 'local':
      return localKeyFrom(environment[config.keyEnv] ?? '', config.keyEnv);
    default:
      throw new Error(`vault keys of kind ${config.kind} are not there yet`);
  }
}
