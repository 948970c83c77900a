import { coversAudience } from './covers-audience.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeCeiling, ExchangeDependencies, ExchangeTarget } from './ports.js';

/**
 * Finds the resources that the issued token is for: one, unless the client may have more. A token for several could be
 * replayed by each at the others.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.1 `resource` and `audience`, RFC 8707 §2
 */
export function selectTargets(
  identifiers: readonly string[],
  ceiling: ExchangeCeiling,
  { findTarget }: Pick<ExchangeDependencies, 'findTarget'>,
): ExchangeTarget[] {
  if (identifiers.length === 0) throw new ExchangeRefusal({ kind: 'target_missing' });
  if (identifiers.length > (ceiling.maxTargets ?? 1)) throw new ExchangeRefusal({ kind: 'several_targets' });
  const found = new Map<string, ExchangeTarget>();
  for (const identifier of identifiers) {
    const target = findTarget(identifier);
    if (target === undefined) throw new ExchangeRefusal({ kind: 'target_unknown' });
    if (!coversAudience(ceiling.audiences, target.resource)) {
      throw new ExchangeRefusal({ kind: 'target_beyond_ceiling' });
    }
    found.set(target.resource, target);
  }
  return [...found.values()];
}
