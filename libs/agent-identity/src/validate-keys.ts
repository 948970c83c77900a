import type { PublicJwk } from '@behalf/contracts';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { AgentRefusal } from './agent-refusal.js';
import type { AgentDependencies } from './ports.js';
import { validatePublicKey } from './validate-public-key.js';

/** The one in use and the next one. */
export const maxKeys = 2;

const keySetSchema = z.looseObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1) });

/**
 * Validates keys that an agent comes with: one, or two that differ in material and in `kid`.
 *
 * @throws AgentRefusal `key_unacceptable`, `key_known`, `too_many_keys`
 */
export async function validateKeys(presented: readonly Record<string, unknown>[]): Promise<PublicJwk[]> {
  if (presented.length > maxKeys) throw new AgentRefusal({ kind: 'too_many_keys' });
  const keys: PublicJwk[] = [];
  for (const key of presented) keys.push(await validateAdditionalKey(key, keys));
  return keys;
}

/** @throws AgentRefusal */
export async function validateAdditionalKey(
  presented: Record<string, unknown>,
  known: readonly PublicJwk[],
): Promise<PublicJwk> {
  const key = await validatePublicKey(presented);
  const thumbprint = await calculateJwkThumbprint(key);
  for (const other of known) {
    if (other.kid === key.kid || (await calculateJwkThumbprint(other)) === thumbprint) {
      throw new AgentRefusal({ kind: 'key_known' });
    }
  }
  if (known.length >= maxKeys) throw new AgentRefusal({ kind: 'too_many_keys' });
  return key;
}

/**
 * Looks once at the key set that an agent keeps itself: there must be one, of public keys that can be used, and no more
 * than an agent may have. What it becomes later is not watched here; the token endpoint judges every key it uses.
 *
 * @throws AgentRefusal
 */
export async function checkKeysAt(
  url: string,
  { resolveKeySet }: Pick<AgentDependencies, 'resolveKeySet'>,
): Promise<void> {
  const document = await resolveKeySet(url).catch((cause: unknown) => {
    throw new AgentRefusal({ kind: 'jwks_uri_unusable', cause });
  });
  const keySet = keySetSchema.safeParse(document);
  if (!keySet.success) throw new AgentRefusal({ kind: 'jwks_uri_unusable', cause: keySet.error });
  await validateKeys(keySet.data.keys);
}
