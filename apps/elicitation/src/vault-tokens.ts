import type { ConnectionTokens } from '@behalf/elicitation';
import { OAuthError, coversScopes } from '@behalf/oauth';
import { type OpenedCredential, type Vault, VaultError } from '@behalf/vault';
import type { ProviderCatalog } from './provider-catalog.js';

/**
 * The vault as elicitations use it: what only the person can mend is told apart from what waiting mends.
 *
 * @param onOpened is told of a credential with all that is needed to use it right here
 */
export function vaultTokens(
  vault: Vault,
  providers: ProviderCatalog,
  onOpened: (opened: OpenedCredential) => void = () => {},
): ConnectionTokens {
  return {
    use: async ({ decisionGrant, person, resource, scopes }) => {
      // Looked up first: a grant is used up by asking, and there is nothing to ask for.
      const connection = await vault.find(person, resource);
      const isUsable =
        connection?.status === 'active' &&
        coversScopes(connection.scopes, scopes, providers.find(connection.providerId)?.impliedScopes);
      if (!isUsable) return { kind: 'needs_person' };
      if (decisionGrant === undefined)
        throw new OAuthError('temporarily_unavailable', 'the policy gave no grant to open the credential');
      try {
        const opened = await vault.openForUse(decisionGrant);
        // The grant says whose it is. Whoever came with the grant of another person gets nothing of theirs.
        if (opened.connectionId !== connection.id)
          throw new OAuthError('access_denied', 'the grant is for another credential');
        onOpened(opened);
        const { accessToken, prefix, expiresAtMs } = opened;
        const tokenType = prefix.trim() === '' ? 'N_A' : prefix.trim();
        return { kind: 'token', accessToken, tokenType, expiresAtMs, scopes: opened.scopes };
      } catch (error) {
        if (!(error instanceof VaultError)) throw error;
        if (needsPerson.has(error.problem)) return { kind: 'needs_person' };
        throw toOAuthError(error);
      }
    },
  };
}

const needsPerson: ReadonlySet<VaultError['problem']> = new Set([
  'not_connected',
  'needs_consent',
  'needs_scope',
]);

function toOAuthError(error: VaultError): OAuthError {
  if (error.problem === 'unavailable')
    return new OAuthError('temporarily_unavailable', 'the third party cannot be asked now', {
      cause: error,
      retryAfterSeconds: error.retryAfterSeconds ?? 2,
    });
  if (error.problem === 'alarmed')
    return new OAuthError('access_denied', 'this credential may not be used', { cause: error });
  return new OAuthError('server_error', 'the credential could not be opened', { cause: error });
}
