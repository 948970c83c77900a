// Subject tokens in any number, each a new one: signed with the issuer's own key, as the issuer would have.
import { createPrivateKey, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { loadOrCreateLocalKey } from '../dist/libs/adapter-local-key/src/index.js';
import { SqlRecordStore, migrate, openPglite } from '../dist/libs/adapter-postgres/src/index.js';
import { signJwt } from '../dist/libs/jwt/src/index.js';
import { systemClock } from '../dist/libs/ports/src/index.js';
import { SigningKeys } from '../dist/libs/signing-keys/src/index.js';

/** Makes the keys of an issuer that has not started yet, in its data folder. @returns the one that signs access tokens */
export async function makeSigningKey(folder) {
  const kek = await loadOrCreateLocalKey(folder);
  const { db, close } = await openPglite(join(folder, 'database'));
  try {
    await migrate(db);
    const records = new SqlRecordStore(db, systemClock);
    const keys = new SigningKeys(records, kek, systemClock, { overlapSeconds: 3600 });
    await keys.ensure();
    const jwk = (await keys.current()).find(({ alg }) => alg === 'ES256');
    return { kid: jwk.kid, key: createPrivateKey({ key: { ...jwk }, format: 'jwk' }) };
  } finally {
    await close();
  }
}

const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());

/**
 * @param more claims besides its own
 * @returns gives a token like the one given, with a `jti` of its own, at every call; `prepare` makes so many of them
 *   beforehand, since what signing costs the bench must not be missing when the others are measured
 */
export function tokensLike(token, { kid, key }, more = {}) {
  const claims = { ...claimsOf(token), ...more };
  const sign = () => signJwt({ ...claims, jti: randomUUID() }, { alg: 'ES256', kid, typ: 'at+jwt' }, key);
  const ready = [];
  const prepare = (calls) => {
    while (ready.length < calls) ready.push(sign());
  };
  return Object.assign(() => ready.pop() ?? sign(), { prepare });
}
