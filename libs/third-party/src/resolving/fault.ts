import { ConfigError, type ProviderConfig } from '@behalf/config';

/** Notes what is wrong with one provider, by name and never by value. */
export type Fault = (text: string) => void;

/**
 * Resolves each, and goes on after a fault, so that all of them are told at once.
 *
 * @throws ConfigError
 */
export function resolveEach<R>(
  configs: readonly ProviderConfig[],
  resolve: (config: ProviderConfig, fault: Fault) => R | undefined,
  among: (resolved: readonly R[]) => string[],
): R[] {
  const faults: string[] = [];
  const resolved = configs.flatMap((config) => {
    const one = resolve(config, (text) => void faults.push(`elicitation.providers.${config.id}: ${text}`));
    return one === undefined ? [] : [one];
  });
  faults.push(...among(resolved));
  if (faults.length > 0) throw new ConfigError(faults);
  return resolved;
}
