/**
 * The two spellings of an ECDSA signature over P-256: r and s side by side as a JWS has them (RFC 7518 §3.4), and the
 * ASN.1 of OpenSSL (RFC 3279 §2.2.3). Node converts, too, but only for keys that come wrapped in options, and looking
 * into such a wrapper costs more than the signature does.
 */
const integerBytes = 32;
const tags = { sequence: 0x30, integer: 0x02 };

/** @returns undefined for what has another length than r and s have */
export function toAsn1(signature: Uint8Array): Buffer | undefined {
  if (signature.length !== 2 * integerBytes) return undefined;
  const r = toInteger(signature.subarray(0, integerBytes));
  const s = toInteger(signature.subarray(integerBytes));
  return Buffer.from([tags.sequence, r.length + s.length, ...r, ...s]);
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

/** DER: as short as it can be, with a zero in front where the first bit would make it negative. */
function toInteger(unsigned: Uint8Array): number[] {
  let from = 0;
  while (from < integerBytes - 1 && unsigned[from] === 0) from++;
  const digits = [...unsigned.subarray(from)];
  if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
  return [tags.integer, digits.length, ...digits];
}
