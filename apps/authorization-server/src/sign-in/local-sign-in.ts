import { createHash, timingSafeEqual } from 'node:crypto';
import type { AuthorizationServerConfig } from '@behalf/config';

type LocalSignIn = Extract<AuthorizationServerConfig['signIn'], { method: 'local' }>;
export type LocalUser = LocalSignIn['users'][number];

/** Finds the user whose password this is. Takes as long for a name that nobody has. */
export function checkLocalPassword(
  users: readonly LocalUser[],
  username: string,
  password: string,
): LocalUser | undefined {
  const user = users.find((candidate) => candidate.username === username);
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const matches = timingSafeEqual(digest(password), digest(user?.password ?? ''));
  return matches && password !== '' ? user : undefined;
}
