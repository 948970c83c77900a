import { type KoaContextWithOIDC, Provider } from 'oidc-provider';

/** The request that the library is serving, where it hands over nothing of it. */
export function currentContext(): KoaContextWithOIDC {
  const { ctx } = Provider as unknown as { ctx?: KoaContextWithOIDC };
  if (!ctx) throw new Error('no request is being served');
  return ctx;
}
