import { CedarSet } from './cedar-set.js';
import { Datetime } from './datetime.js';
import { Decimal } from './decimal.js';
import { Duration } from './duration.js';
import { EntityUid } from './entity-uid.js';
import type { IpAddress } from './ip-address.js';
import type { ExpressionJson } from './policy-json.js';
import type { Value } from './value.js';

/** The expression that says a value: evaluating it gives the value back. */
export function literalExpression(value: Value): ExpressionJson {
  if (typeof value !== 'object') return { Value: value };
  if (value instanceof EntityUid) return { Value: { __entity: { type: value.type, id: value.id } } };
  if (value instanceof CedarSet) return { Set: value.items.map((item) => literalExpression(item)) };
  if (value instanceof Map)
    return {
      Record: Object.fromEntries([...value].map(([name, item]) => [name, literalExpression(item as Value)])),
    };
  if (value instanceof Decimal) return { decimal: [{ Value: value.text }] };
  if (value instanceof Duration) return { duration: [{ Value: value.text }] };
  if (value instanceof Datetime) return datetimeExpression(value);
  return { ip: [{ Value: (value as IpAddress).text }] };
}

/** Datetimes beyond four-digit years have no text of their own. */
function datetimeExpression(value: Datetime): ExpressionJson {
  const { text } = value;
  if (text !== undefined) return { datetime: [{ Value: text }] };
  return { offset: [{ datetime: [{ Value: '1970-01-01' }] }, { duration: [{ Value: `${value.ms}ms` }] }] };
}
