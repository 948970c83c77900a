import { Datetime } from './datetime.js';
import { Decimal } from './decimal.js';
import { Duration } from './duration.js';
import { IpAddress } from './ip-address.js';
import { as, asString } from './type-checks.js';
import type { Value } from './value.js';

export interface ExtensionFunction {
  arity: 1 | 2;
  /** @throws EvaluationError. The second argument is ignored by functions of one. */
  call: (first: Value, second: Value) => Value;
}

const unary = (call: (argument: Value) => Value): ExtensionFunction => ({ arity: 1, call });
const binary = (call: (first: Value, second: Value) => Value): ExtensionFunction => ({ arity: 2, call });

const compareDecimals = (test: (left: Decimal, right: Decimal) => boolean) =>
  binary((left, right) => test(as(Decimal, left), as(Decimal, right)));
const ofIp = (test: (address: IpAddress) => boolean) => unary((value) => test(as(IpAddress, value)));
const ofDuration = (unitMs: number) => unary((value) => as(Duration, value).in(unitMs));

/** Every function of Cedar's extensions, by name; methods take what stands before the point first. */
export const extensionFunctions: ReadonlyMap<string, ExtensionFunction> = new Map([
  ['decimal', unary((text) => Decimal.parse(asString(text)))],
  ['lessThan', compareDecimals((left, right) => left.units < right.units)],
  ['lessThanOrEqual', compareDecimals((left, right) => left.units <= right.units)],
  ['greaterThan', compareDecimals((left, right) => left.units > right.units)],
  ['greaterThanOrEqual', compareDecimals((left, right) => left.units >= right.units)],

  ['ip', unary((text) => IpAddress.parse(asString(text)))],
  ['isIpv4', ofIp((address) => address.version === 4)],
  ['isIpv6', ofIp((address) => address.version === 6)],
  ['isLoopback', ofIp((address) => address.isLoopback())],
  ['isMulticast', ofIp((address) => address.isMulticast())],
  ['isInRange', binary((address, range) => as(IpAddress, address).isInRange(as(IpAddress, range)))],

  ['datetime', unary((text) => Datetime.parse(asString(text)))],
  ['offset', binary((time, by) => as(Datetime, time).offset(as(Duration, by)))],
  ['durationSince', binary((time, other) => as(Datetime, time).durationSince(as(Datetime, other)))],
  ['toDate', unary((time) => as(Datetime, time).toDate())],
  ['toTime', unary((time) => as(Datetime, time).toTime())],

  ['duration', unary((text) => Duration.parse(asString(text)))],
  ['toMilliseconds', ofDuration(1)],
  ['toSeconds', ofDuration(1000)],
  ['toMinutes', ofDuration(60_000)],
  ['toHours', ofDuration(3_600_000)],
  ['toDays', ofDuration(86_400_000)],
]);
