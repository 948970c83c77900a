import { generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { fromAsn1, toAsn1 } from './ecdsa-signature.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
/** Often with zeros in front, and with a first bit that is set. */
const integer = fc
  .tuple(fc.integer({ min: 0, max: 32 }), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([zeros, bytes]) => bytes.fill(0, 0, zeros));

it('spells every signature as OpenSSL does, and back', () => {
  for (let i = 0; i < 300; i++) {
    const data = Buffer.from(String(i));
    const asn1 = sign('sha256', data, privateKey);
    const concatenated = fromAsn1(asn1);
    expect(toAsn1(concatenated)).toEqual(asn1);
    expect(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, concatenated)).toBe(true);
  }
});

it('keeps r and s, however short they are', () => {
  fc.assert(
    fc.property(integer, integer, (r, s) => {
      const signature = Buffer.concat([r, s]);
      expect(fromAsn1(toAsn1(signature) ?? Buffer.alloc(0))).toEqual(signature);
    }),
  );
});

it.each([0, 63, 65, 70])('has no spelling for %d bytes', (length) => {
  expect(toAsn1(Buffer.alloc(length, 1))).toBeUndefined();
});
