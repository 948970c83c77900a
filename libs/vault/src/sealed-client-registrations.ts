import { RecordConflict, type RecordKind, type RecordStore } from '@behalf/ports';
import { type KeyRing, open, seal } from '@behalf/sealing';
import type { ClientRegistrations, RegisteredClient } from '@behalf/third-party';
import { createHash } from 'node:crypto';
import { z } from 'zod';

const registrationSchema = z.object({
  issuer: z.string(),
  redirectUri: z.string(),
  clientId: z.string(),
  sealedSecret: z.string().optional(),
});
type Registration = z.output<typeof registrationSchema>;

export const registrationKind: RecordKind<Registration> = {
  name: 'third-party-registration',
  schema: registrationSchema,
};

/** Clients that authorization servers gave us, their secrets sealed. One for each issuer and redirect URI. */
export class SealedClientRegistrations implements ClientRegistrations {
  constructor(
    private readonly records: RecordStore,
    private readonly keys: KeyRing,
  ) {}

  async get(issuer: string, redirectUri: string): Promise<RegisteredClient | undefined> {
    const id = idOf(issuer, redirectUri);
    const found = await this.records.get(registrationKind, id);
    if (found?.value.issuer !== issuer || found.value.redirectUri !== redirectUri) return undefined;
    const { clientId, sealedSecret } = found.value;
    if (sealedSecret === undefined) return { issuer, clientId, clientSecret: undefined };
    const secret = await open(this.keys, sealedSecret, registrationContext(id, found.value));
    return { issuer, clientId, clientSecret: Buffer.from(secret).toString() };
  }

  async keep(redirectUri: string, client: RegisteredClient): Promise<RegisteredClient> {
    const { issuer, clientId, clientSecret } = client;
    const id = idOf(issuer, redirectUri);
    const value: Registration = { issuer, redirectUri, clientId };
    if (clientSecret !== undefined) {
      value.sealedSecret = await seal(
        this.keys.current,
        Buffer.from(clientSecret),
        registrationContext(id, value),
      );
    }
    try {
      await this.records.transaction((transaction) =>
        transaction.put(registrationKind, id, value, { expectedVersion: 0 }),
      );
      return client;
    } catch (error) {
      if (!(error instanceof RecordConflict)) throw error;
      return (await this.get(issuer, redirectUri)) ?? client;
    }
  }
}

export function registrationContext(id: string, { issuer, clientId }: Registration): Record<string, string> {
  return { kind: registrationKind.name, id, issuer, clientId };
}

function idOf(issuer: string, redirectUri: string): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, redirectUri]))
    .digest('base64url');
}
