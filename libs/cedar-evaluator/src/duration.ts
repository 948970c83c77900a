import { EvaluationError } from './evaluation-error.js';
import { type Long, divideLong, toLong } from './long.js';

const form = /^-?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const unitsMs = [86_400_000n, 3_600_000n, 60_000n, 1000n, 1n];
const maxDigits = 20;

/**
 * Cedar's duration: a signed 64-bit count of milliseconds.
 *
 * @see https://docs.cedarpolicy.com/policies/syntax-datatypes.html#datatype-duration
 */
export class Duration {
  constructor(readonly ms: Long) {}

  /** @throws EvaluationError extension_error for another form, or what 64 bits cannot hold */
  static parse(text: string): Duration {
    const match = text === '' || text === '-' ? null : form.exec(text);
    if (match === null) throw EvaluationError.extensionError;
    const sign = text.startsWith('-') ? -1n : 1n;
    let ms = 0n;
    for (const [index, unitMs] of unitsMs.entries()) {
      const digits = (match[index + 1] ?? '').replace(/^0+/, '');
      // A number of a million digits would be work for nothing.
      if (digits.length > maxDigits) throw EvaluationError.extensionError;
      ms += sign * BigInt(digits) * unitMs;
    }
    const long = toLong(ms);
    if (long === undefined) throw EvaluationError.extensionError;
    return new Duration(long);
  }

  /** Whole seconds, minutes, hours or days, rounded towards zero. */
  in(unitMs: number): Long {
    return divideLong(this.ms, unitMs);
  }

  equals(other: Duration): boolean {
    return this.ms === other.ms;
  }

  /** As it is written: `parse` gives it back. */
  get text(): string {
    return `${this.ms}ms`;
  }

  get canonical(): string {
    return `duration ${this.ms}`;
  }
}
