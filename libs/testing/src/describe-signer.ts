import type { Signer } from '@behalf/ports';
import { type JWK, compactVerify, createLocalJWKSet, decodeProtectedHeader } from 'jose';

export interface OpenSigner {
  signer: Signer;
  publicJwks(): Promise<{ keys: JWK[] }>;
}

/** What every signer guarantees. */
export function describeSigner(name: string, open: () => Promise<OpenSigner>): void {
  describe(`signer: ${name}`, () => {
    const claims = { iss: 'http://as.test', sub: 'alice', aud: 'http://rs.test', n: 1 };
    let opened: OpenSigner;
    beforeAll(async () => {
      opened = await open();
    });

    const verified = async (jws: string): Promise<unknown> => {
      const { payload } = await compactVerify(jws, createLocalJWKSet(await opened.publicJwks()));
      return JSON.parse(new TextDecoder().decode(payload));
    };

    it('signs what it was given, with a published key, ES256 unless told otherwise', async () => {
      const jws = await opened.signer.sign(claims, { typ: 'at+jwt' });
      expect(await verified(jws)).toEqual(claims);
      const published = (await opened.publicJwks()).keys.map(({ kid }) => kid);
      const { kid, ...header } = decodeProtectedHeader(jws);
      expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt' });
      expect(published).toContain(kid);
    });

    it('signs with RS256 and another type when told so', async () => {
      const jws = await opened.signer.sign(claims, { typ: 'JWT', alg: 'RS256' });
      expect(await verified(jws)).toEqual(claims);
      expect(decodeProtectedHeader(jws)).toMatchObject({ alg: 'RS256', typ: 'JWT' });
    });

    it('uses the same key for many signatures at once', async () => {
      const signed = await Promise.all(
        Array.from({ length: 20 }, () => opened.signer.sign(claims, { typ: 'at+jwt' })),
      );
      expect(new Set(signed.map((jws) => decodeProtectedHeader(jws).kid)).size).toBe(1);
    });
  });
}
