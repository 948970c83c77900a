import { type KeyRing, type SealingContext, open, seal } from '@behalf/sealing';
import type { ProviderTokens, RegisteredClient } from '@behalf/third-party';
import { z } from 'zod';
import { type ConnectionRecord, connectionKind } from './connection.js';

/** A secret that a connection holds. `account` is personal data, and outlives the tokens beside it. */
export type SealedPart = 'access' | 'refresh' | 'account';

/** Where a secret belongs. The version is in it, so that an older row beside newer columns opens nothing. */
export type CredentialPlace = Pick<ConnectionRecord, 'owner' | 'tenant' | 'providerId' | 'resource'> & {
  readonly id: string;
  readonly credentialVersion: number;
};

const accessSchema = z.object({ accessToken: z.string(), isDecoy: z.literal(true).optional() });
export type AccessSecret = z.output<typeof accessSchema>;

const refreshSchema = z.object({
  refreshToken: z.string(),
  client: z
    .object({ issuer: z.string(), clientId: z.string(), clientSecret: z.string().optional() })
    .optional(),
  isDecoy: z.literal(true).optional(),
});

export interface RefreshSecret {
  readonly refreshToken: string;
  readonly client: RegisteredClient | undefined;
  readonly isDecoy?: true | undefined;
}

/** Seals one set of tokens, each under a data key of its own. */
export async function sealTokens(
  keys: KeyRing,
  place: CredentialPlace,
  tokens: ProviderTokens,
): Promise<NonNullable<ConnectionRecord['sealed']>> {
  const { accessToken, refreshToken, client, account } = tokens;
  const [access, refresh, name] = await Promise.all([
    sealPart(keys, place, 'access', { accessToken }),
    refreshToken === undefined ? undefined : sealPart(keys, place, 'refresh', { refreshToken, client }),
    account === undefined ? undefined : sealPart(keys, place, 'account', account),
  ]);
  return {
    access,
    ...(refresh !== undefined && { refresh }),
    ...(name !== undefined && { account: name }),
  };
}

export async function sealPart(
  keys: KeyRing,
  place: CredentialPlace,
  part: SealedPart,
  secret: unknown,
): Promise<string> {
  return seal(keys.current, Buffer.from(JSON.stringify(secret)), sealingContext(place, part));
}

/** @throws SealingError */
export async function openAccess(
  keys: KeyRing,
  place: CredentialPlace,
  sealed: string,
): Promise<AccessSecret> {
  return accessSchema.parse(await openPart(keys, place, 'access', sealed));
}

/** @throws SealingError */
export async function openRefresh(
  keys: KeyRing,
  place: CredentialPlace,
  sealed: string,
): Promise<RefreshSecret> {
  const { refreshToken, client, isDecoy } = refreshSchema.parse(
    await openPart(keys, place, 'refresh', sealed),
  );
  return { refreshToken, client: client && { ...client, clientSecret: client.clientSecret }, isDecoy };
}

/** @throws SealingError */
export async function openAccount(keys: KeyRing, place: CredentialPlace, sealed: string): Promise<string> {
  return z.string().parse(await openPart(keys, place, 'account', sealed));
}

export function placeOf(id: string, record: ConnectionRecord): CredentialPlace {
  const { owner, tenant, providerId, resource, credentialVersion } = record;
  return { id, owner, tenant, providerId, resource, credentialVersion };
}

/** An account's name does not change with the tokens, so it is not sealed anew with them. */
export function sealingContext(place: CredentialPlace, part: SealedPart): SealingContext {
  const { id, owner, tenant, providerId, resource, credentialVersion } = place;
  const version = part === 'account' ? 'any' : String(credentialVersion);
  return { kind: connectionKind.name, id, owner, tenant, provider: providerId, resource, part, version };
}

async function openPart(
  keys: KeyRing,
  place: CredentialPlace,
  part: SealedPart,
  sealed: string,
): Promise<unknown> {
  return JSON.parse(Buffer.from(await open(keys, sealed, sealingContext(place, part))).toString());
}
