import type { ProviderConfig } from '@behalf/config';
import type { Forwarding } from '../forwarding/forwarding.js';
import type { Fault } from './fault.js';

type ForwardConfig = NonNullable<ProviderConfig['forward']>;

export function resolveForwarding(
  {
    rules,
    requestHeaders,
    responseHeaders,
    maxRequestBytes,
    maxResponseBytes,
    timeoutSeconds,
  }: ForwardConfig,
  [resource = '']: readonly string[],
  known: Readonly<Record<string, string>>,
  fault: Fault,
): Forwarding {
  for (const scope of rules.flatMap(({ scopes }) => scopes))
    if (!Object.hasOwn(known, scope)) fault(`forward: ${scope} is none of the scopes of this provider`);
  return {
    rules: rules.map(({ origin = new URL(resource).origin, ...rule }) => ({ origin, ...rule })),
    requestHeaders,
    responseHeaders,
    maxRequestBytes,
    maxResponseBytes,
    timeoutMs: timeoutSeconds * 1000,
  };
}
