/**
 * The two spellings of an ECDSA signature over P-256: r and s side by side as a JWS has them (RFC 7518 §3.4), and the
 * ASN.1 of OpenSSL (RFC 3279 §2.2.3). Node converts, too, but only for keys that come wrapped in options, and looking
 * into such a wrapper costs more than the signature does.
 */
const integerBytes = 32;
const tags = { sequence: 0x30, integer: 0x02 };
/** Each integer with its tag, its length and the zero that may be in front. */
const maxAsn1Bytes = 2 + 2 * (2 + 1 + integerBytes);

/** @returns undefined for what has another length than r and s have */
export function toAsn1(signature: Uint8Array): Buffer | undefined {
  if (signature.length !== 2 * integerBytes) return undefined;
  const asn1 = Buffer.allocUnsafe(maxAsn1Bytes);
  let end = 2;
  for (const from of [0, integerBytes]) end = putInteger(asn1, end, signature, from);
  asn1[0] = tags.sequence;
  asn1[1] = end - 2;
  return asn1.subarray(0, end);
}

/** @param asn1 a signature that OpenSSL has just made */
export function fromAsn1(asn1: Uint8Array): Buffer {
  const signature = Buffer.alloc(2 * integerBytes);
  // Both integers are at most 33 bytes, so that every length is one byte.
  let at = 2;
  for (const end of [integerBytes, 2 * integerBytes]) {
    const length = asn1[at + 1] ?? 0;
    const integer = asn1.subarray(at + 2, (at += 2 + length));
    const digits = integer.subarray(Math.max(0, length - integerBytes));
    signature.set(digits, end - digits.length);
  }
  return signature;
}

/**
 * DER: as short as it can be, with a zero in front where the first bit would make it negative.
 *
 * @returns where the next one goes
 */
function putInteger(asn1: Buffer, at: number, signature: Uint8Array, from: number): number {
  const end = from + integerBytes;
  let first = from;
  while (first < end - 1 && signature[first] === 0) first++;
  const hasZero = (signature[first] ?? 0) >= 0x80;
  asn1[at++] = tags.integer;
  asn1[at++] = end - first + (hasZero ? 1 : 0);
  if (hasZero) asn1[at++] = 0;
  asn1.set(signature.subarray(first, end), at);
  return at + end - first;
}
