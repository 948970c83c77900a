import type { AuthorizationServerConfig } from '@behalf/config';

const signInWords: Record<string, string> = {
  openid: 'Know who you are',
  profile: 'See your name and your groups',
};

/** Scopes in the words of the configuration; one without words as it is. */
export function scopeWords(scopes: Iterable<string>, config: AuthorizationServerConfig): string[] {
  const words: Record<string, string> = { ...signInWords, ...config.scopes };
  return [...scopes].map((scope) => words[scope] ?? scope);
}
