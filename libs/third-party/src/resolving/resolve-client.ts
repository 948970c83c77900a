import type { ProviderConfig } from '@behalf/config';
import { z } from 'zod';
import type { PrivateJwk, ProviderClient } from '../provider.js';
import type { Fault } from './fault.js';

export type Environment = Readonly<Record<string, string | undefined>>;
/** The secret of a variable's name, as it is at each call; undefined when there is none. */
export type FindSecret = (name: string) => (() => string) | undefined;
type ClientConfig = NonNullable<Extract<ProviderConfig, { kind: 'mcp' }>['client']>;

/** `alg` and `kid` are what we sign by; `d` makes it a private one. */
const privateJwkSchema = z.looseObject({
  kty: z.string(),
  alg: z.string(),
  kid: z.string(),
  d: z.string(),
});

export function resolveClient(
  { id, auth: configured, secretEnv, demoSecret, privateKeyEnv }: ClientConfig,
  usual: 'client_secret_basic' | 'client_secret_post',
  environment: Environment,
  findSecret: FindSecret,
  fault: Fault,
): ProviderClient | undefined {
  const auth = configured ?? (privateKeyEnv === undefined ? usual : 'private_key_jwt');
  switch (auth) {
    case 'none':
      return { id, auth };
    case 'private_key_jwt': {
      const privateJwk = parsePrivateKey(
        privateKeyEnv === undefined ? undefined : environment[privateKeyEnv],
      );
      if (!privateJwk) fault('client.privateKeyEnv: must hold a private JWK with alg and kid');
      return privateJwk && { id, auth, privateJwk };
    }
    default: {
      const secret = secretEnv === undefined ? fixed(demoSecret) : findSecret(secretEnv);
      if (!secret) fault('client.secretEnv: needed');
      return secret ? { id, auth, secret } : undefined;
    }
  }
}

export function fixed(secret: string | undefined): (() => string) | undefined {
  return secret ? () => secret : undefined;
}

function parsePrivateKey(text: string | undefined): PrivateJwk | undefined {
  try {
    return privateJwkSchema.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}
