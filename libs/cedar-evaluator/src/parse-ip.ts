const octet = /^(?:0|[1-9]\d{0,2})$/;
const group = /^[0-9a-f]{1,4}$/i;
/** The longest there is, eight groups of four digits, so that nothing longer is worth splitting. */
const maxLength = 39;

/** Four decimal octets without leading zeros; undefined for everything else. */
export function parseIpv4(text: string): bigint | undefined {
  if (text.length > maxLength) return undefined;
  const octets = text.split('.');
  if (octets.length !== 4 || !octets.every((one) => octet.test(one) && Number(one) <= 255)) return undefined;
  return BigInt(octets.reduce((address, one) => address * 256 + Number(one), 0));
}

/** Eight groups of hex digits, `::` at most once and for at least one group. No zone, no embedded IPv4. */
export function parseIpv6(text: string): bigint | undefined {
  if (text.length > maxLength) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const written = [...head!, ...(tail ?? [])];
  if (!written.every((one) => group.test(one))) return undefined;
  const left = 8 - written.length;
  if (tail === undefined ? left !== 0 : left < 1) return undefined;
  const groups = [...head!, ...Array<string>(left).fill('0'), ...(tail ?? [])];
  return BigInt(`0x${groups.map((one) => one.padStart(4, '0')).join('')}`);
}
