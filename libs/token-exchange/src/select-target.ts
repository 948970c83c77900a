import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeDependencies, ExchangeTarget, RequestingClient } from './ports.js';

/**
 * Finds the one resource the issued token is for. A token for several could be replayed by each at the others.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.1 `resource` and `audience`, RFC 8707 §2
 */
export function selectTarget(
  identifiers: readonly string[],
  ceiling: NonNullable<RequestingClient['ceiling']>,
  { findTarget }: Pick<ExchangeDependencies, 'findTarget'>,
): ExchangeTarget {
  const [identifier, ...others] = identifiers;
  if (identifier === undefined) throw new ExchangeRefusal({ kind: 'target_missing' });
  if (others.length > 0) throw new ExchangeRefusal({ kind: 'several_targets' });
  const target = findTarget(identifier);
  if (target === undefined) throw new ExchangeRefusal({ kind: 'target_unknown' });
  if (!coversAudience(ceiling.audiences, target.resource)) {
    throw new ExchangeRefusal({ kind: 'target_beyond_ceiling' });
  }
  return target;
}

/** True when a ceiling names the resource. A `*` at the end stands for any rest; anywhere else it stands for itself. */
export function coversAudience(patterns: readonly string[], resource: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? resource.startsWith(pattern.slice(0, -1)) : pattern === resource,
  );
}
