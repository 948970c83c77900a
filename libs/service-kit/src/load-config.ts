import { type BehalfConfig, ConfigError, parseConfig } from '@behalf/config';
import type { ServiceName } from '@behalf/contracts';
import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { parse } from 'yaml';

/**
 * Reads the file that `BEHALF_CONFIG` names, else the one given. It may name several, separated as in `PATH`: a later
 * file changes single settings of those before it; lists are replaced whole.
 *
 * @param service that runs with it, and needs its own secrets; without it, those of all services
 * @throws ConfigError with every fault of it
 */
export function loadConfig(
  defaultFile: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  service?: ServiceName,
): BehalfConfig {
  const files = (environment['BEHALF_CONFIG'] ?? defaultFile).split(delimiter);
  return parseConfig(files.map(readYaml).reduce(layer), environment, service);
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ConfigError([`${file}: ${(cause as NodeJS.ErrnoException).code ?? 'is not YAML'}`]);
  }
}

/** An empty file changes nothing; `null` in one takes a setting away. */
function layer(below: unknown, above: unknown): unknown {
  if (above === undefined || above === null) return below;
  if (!isMap(below) || !isMap(above)) return above;
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    if (value === null) delete merged[key];
    else merged[key] = layer(merged[key], value);
  }
  return merged;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
