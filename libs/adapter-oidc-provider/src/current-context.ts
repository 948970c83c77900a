import { type KoaContextWithOIDC, Provider } from 'oidc-provider';

/** The request that the library is serving, where it hands over nothing of it. */
export function currentContext(): KoaContextWithOIDC {
  const ctx = contextIfAny();
  if (!ctx) throw new Error('no request is being served');
  return ctx;
}

/** The same; undefined where our own pages use the library, outside of any request of its. */
export function contextIfAny(): KoaContextWithOIDC | undefined {
  return (Provider as unknown as { ctx?: KoaContextWithOIDC }).ctx;
}
