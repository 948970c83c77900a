import { Duration } from './duration.js';
import { EvaluationError } from './evaluation-error.js';
import { type Long, addLongs, moduloLong, subtractLongs } from './long.js';

const form = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{3}))?(?:Z|([+-])(\d{2})(\d{2})))?$/;
const dayMs = 86_400_000;

/**
 * Cedar's datetime: milliseconds since 1970-01-01 UTC, signed, 64 bits, without leap seconds.
 *
 * @see https://docs.cedarpolicy.com/policies/syntax-datatypes.html#datatype-datetime
 */
export class Datetime {
  constructor(readonly ms: Long) {}

  /** @throws EvaluationError extension_error for another form, or a date, time or offset that does not exist */
  static parse(text: string): Datetime {
    const match = form.exec(text);
    if (match === null) throw EvaluationError.extensionError;
    const [year, month, day, hour, minute, second, milli] = match
      .slice(1, 8)
      .map((part) => Number(part ?? 0));
    const [offsetHour, offsetMinute] = match.slice(9).map((part) => Number(part ?? 0));
    if (hour! > 23 || minute! > 59 || second! > 59 || offsetHour! > 23 || offsetMinute! > 59)
      throw EvaluationError.extensionError;
    const offsetMs = (offsetHour! * 60 + offsetMinute!) * 60_000 * (match[8] === '-' ? -1 : 1);
    const timeMs = ((hour! * 60 + minute!) * 60 + second!) * 1000 + milli!;
    return new Datetime(dayStart(year!, month!, day!) + timeMs - offsetMs);
  }

  /** @throws EvaluationError overflow */
  offset(duration: Duration): Datetime {
    return new Datetime(addLongs(this.ms, duration.ms));
  }

  /** @throws EvaluationError overflow */
  durationSince(other: Datetime): Duration {
    return new Duration(subtractLongs(this.ms, other.ms));
  }

  /** The start of its day. @throws EvaluationError overflow for the first day that 64 bits can tell, which has none */
  toDate(): Datetime {
    return new Datetime(subtractLongs(this.ms, moduloLong(this.ms, dayMs)));
  }

  /** The time since the start of its day. */
  toTime(): Duration {
    return new Duration(moduloLong(this.ms, dayMs));
  }

  equals(other: Datetime): boolean {
    return this.ms === other.ms;
  }

  /** As it is written: `parse` gives it back. Undefined outside of the years that can be written. */
  get text(): string | undefined {
    const date = new Date(Number(this.ms));
    const text = Number.isNaN(date.getTime()) ? '' : date.toISOString();
    return /^\d{4}-/.test(text) ? text : undefined;
  }

  get canonical(): string {
    return `datetime ${this.ms}`;
  }
}

function dayStart(year: number, month: number, day: number): number {
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  // A day that does not exist rolls over into the next month.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) throw EvaluationError.extensionError;
  return date.getTime();
}
