import { EvaluationError } from './evaluation-error.js';
import { parseIpv4, parseIpv6 } from './parse-ip.js';

const form = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/;

/**
 * Cedar's ipaddr: an address, or a range in CIDR form. A range keeps the address it was written with, so
 * `10.0.0.1/8` and `10.0.0.0/8` are different values that cover the same addresses.
 *
 * @see https://docs.cedarpolicy.com/policies/syntax-datatypes.html#datatype-ipaddr
 */
export class IpAddress {
  private constructor(
    readonly version: 4 | 6,
    readonly address: bigint,
    readonly prefix: number,
  ) {}

  /** @throws EvaluationError extension_error for another form, also for IPv4 written inside IPv6 */
  static parse(text: string): IpAddress {
    const match = form.exec(text);
    if (match === null) throw EvaluationError.extensionError;
    const v4 = parseIpv4(match[1]!);
    const address = v4 ?? parseIpv6(match[1]!);
    const bits = v4 === undefined ? 128 : 32;
    const prefix = match[2] === undefined ? bits : Number(match[2]);
    if (address === undefined || prefix > bits) throw EvaluationError.extensionError;
    return new IpAddress(v4 === undefined ? 6 : 4, address, prefix);
  }

  /** Every address of this range is one of the other's. Never across versions. */
  isInRange(other: IpAddress): boolean {
    if (this.version !== other.version || this.prefix < other.prefix) return false;
    const hostBits = BigInt(this.bits - other.prefix);
    return this.address >> hostBits === other.address >> hostBits;
  }

  isLoopback(): boolean {
    return this.isInRange(this.version === 4 ? loopback4 : loopback6);
  }

  isMulticast(): boolean {
    return this.isInRange(this.version === 4 ? multicast4 : multicast6);
  }

  equals(other: IpAddress): boolean {
    return this.version === other.version && this.address === other.address && this.prefix === other.prefix;
  }

  /** As it is written: `parse` gives it back. */
  get text(): string {
    const [size, base, between] = this.version === 4 ? [8n, 10, '.'] : [16n, 16, ':'];
    const parts = Array.from({ length: this.bits / Number(size) }, (_, index) =>
      ((this.address >> (size * BigInt(index))) & ((1n << size) - 1n)).toString(base),
    );
    const address = parts.toReversed().join(between);
    return this.prefix === this.bits ? address : `${address}/${this.prefix}`;
  }

  get canonical(): string {
    return `ip${this.version} ${this.address}/${this.prefix}`;
  }

  private get bits(): number {
    return this.version === 4 ? 32 : 128;
  }
}

const loopback4 = IpAddress.parse('127.0.0.0/8');
const loopback6 = IpAddress.parse('::1');
const multicast4 = IpAddress.parse('224.0.0.0/4');
const multicast6 = IpAddress.parse('ff00::/8');
