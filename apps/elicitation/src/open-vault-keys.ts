import { AwsKmsKeyEncryptionKey, type AwsCredentials } from '@behalf/adapter-aws-kms';
import { localKeyFrom } from '@behalf/adapter-local-key';
import { TransitKeyEncryptionKey } from '@behalf/adapter-transit';
import type { BehalfConfig, VaultKeyConfig } from '@behalf/config';
import type { Clock } from '@behalf/ports';
import { type KeyEncryptionKey, KeyRing } from '@behalf/sealing';

type Environment = Readonly<Record<string, string | undefined>>;

/** The keys that the vault seals under: the configured one, or that of the data folder. */
export function openVaultKeys(
  { key, formerKeys }: BehalfConfig['elicitation']['vault'],
  ofDataFolder: KeyEncryptionKey,
  clock: Clock,
  environment: Environment,
): KeyRing {
  const former = formerKeys.map((config) => openKey(config, clock, environment));
  // What was sealed before there was a key of the vault's own goes on opening.
  return key
    ? new KeyRing(openKey(key, clock, environment), [...former, ofDataFolder])
    : new KeyRing(ofDataFolder, former);
}

function openKey(config: VaultKeyConfig, clock: Clock, environment: Environment): KeyEncryptionKey {
  switch (config.kind) {
    case 'local':
      return localKeyFrom(environment[config.keyEnv] ?? '', config.keyEnv);
    case 'transit': {
      const { url, mount, key, namespace, tokenEnv } = config;
      return new TransitKeyEncryptionKey({
        url,
        mount,
        key,
        namespace,
        token: () => environment[tokenEnv] ?? '',
      });
    }
    case 'aws-kms': {
      const { keyArn, endpoint } = config;
      return new AwsKmsKeyEncryptionKey({
        keyArn,
        endpoint,
        clock,
        credentials: () => awsCredentials(environment),
      });
    }
  }
}

function awsCredentials(environment: Environment): AwsCredentials {
  return {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    sessionToken: environment['AWS_SESSION_TOKEN'],
  };
}
