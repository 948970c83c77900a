import { EvaluationError } from './evaluation-error.js';
import { type Long, toLong } from './long.js';

const form = /^-?(\d+)\.(\d{1,4})$/;

/**
 * Cedar's decimal: four digits after the point, kept as a 64-bit count of ten-thousandths.
 *
 * @see https://docs.cedarpolicy.com/policies/syntax-datatypes.html#datatype-decimal
 */
export class Decimal {
  private constructor(readonly units: Long) {}

  /** @throws EvaluationError extension_error for another form, a fifth digit, or what 64 bits cannot hold */
  static parse(text: string): Decimal {
    const match = form.exec(text);
    if (match === null) throw EvaluationError.extensionError;
    const unscaled = BigInt(match[1]! + match[2]!.padEnd(4, '0'));
    const units = toLong(text.startsWith('-') ? -unscaled : unscaled);
    if (units === undefined) throw EvaluationError.extensionError;
    return new Decimal(units);
  }

  equals(other: Decimal): boolean {
    return this.units === other.units;
  }

  /** As it is written: `parse` gives it back. */
  get text(): string {
    const digits = String(this.units).replace('-', '').padStart(5, '0');
    const fraction = digits.slice(-4).replace(/0{1,3}$/, '');
    return `${this.units < 0 ? '-' : ''}${digits.slice(0, -4)}.${fraction}`;
  }

  get canonical(): string {
    return `decimal ${this.units}`;
  }
}
