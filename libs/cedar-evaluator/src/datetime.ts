import { Duration } from './duration.js';
import { EvaluationError } from './evaluation-error.js';
import { type Long, addLongs, moduloLong, subtractLongs } from './long.js';

const form = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{3})?(?:Z|[+-]\d{4}))?$/;
const dayMs = 86_400_000;
const zero = 0x30;

/**
 * Cedar's datetime: milliseconds since 1970-01-01 UTC, signed, 64 bits, without leap seconds.
 *
 * @see https://docs.cedarpolicy.com/policies/syntax-datatypes.html#datatype-datetime
 */
export class Datetime {
  constructor(readonly ms: Long) {}

  /** @throws EvaluationError extension_error for another form, or a date, time or offset that does not exist */
  static parse(text: string): Datetime {
    if (!form.test(text)) throw EvaluationError.extensionError;
    const day = dayStart(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10));
    if (text.length === '2026-01-01'.length) return new Datetime(day);
    const zone = text.endsWith('Z') ? text.length - 1 : text.length - '+0000'.length;
    const [hour, minute, second] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19)];
    const milli = zone > '2026-01-01T00:00:00'.length ? digits(text, 20, 23) : 0;
    const isUtc = zone === text.length - 1;
    const [offsetHour, offsetMinute] = isUtc
      ? [0, 0]
      : [digits(text, zone + 1, zone + 3), digits(text, zone + 3, zone + 5)];
    if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59)
      throw EvaluationError.extensionError;
    const offsetMs = (offsetHour * 60 + offsetMinute) * 60_000 * (text[zone] === '-' ? -1 : 1);
    return new Datetime(day + ((hour * 60 + minute) * 60 + second) * 1000 + milli - offsetMs);
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

/** Every decision has a time in it, so this is no place for groups of an expression and texts cut out. */
function digits(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) number = number * 10 + text.charCodeAt(at) - zero;
  return number;
}

function dayStart(year: number, month: number, day: number): number {
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  // A day that does not exist rolls over into the next month.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) throw EvaluationError.extensionError;
  return date.getTime();
}
