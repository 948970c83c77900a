import { type BehalfConfig, ConfigError, parseConfig } from '@behalf/config';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/**
 * Reads the file that `BEHALF_CONFIG` names, else the one given.
 *
 * @throws ConfigError with every fault of it
 */
export function loadConfig(defaultFile: string, environment = process.env): BehalfConfig {
  const file = environment['BEHALF_CONFIG'] ?? defaultFile;
  let document: unknown;
  try {
    document = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ConfigError([`${file}: ${(cause as NodeJS.ErrnoException).code ?? 'is not YAML'}`]);
  }
  return parseConfig(document, environment);
}
