import { listConsents } from '@behalf/adapter-oidc-provider';
import type { AuthorizationServerConfig } from '@behalf/config';
import type { AuthorizationDetail } from '@behalf/oauth';
import type { RecordReader } from '@behalf/ports';
import type { Provider } from 'oidc-provider';
import type { ClientDirectory } from '../delegation/client-directory.js';
import type { ListedApplication } from '../pages/account-page.js';
import { type DetailWords, detailWords } from '../pages/detail-words.js';
import { scopeWords } from '../pages/scope-words.js';

/** The clients that a person signed in to, with what they agreed to; those whose grant is over are left out. */
export async function listApplications(
  person: string,
  deps: {
    records: RecordReader;
    provider: Provider;
    directory: ClientDirectory;
    config: AuthorizationServerConfig;
    nameOf: (resource: string) => string;
  },
): Promise<ListedApplication[]> {
  const consents = await listConsents(deps.records, person);
  const listed = await Promise.all(
    consents.map(async ({ clientId, grantId }): Promise<ListedApplication[]> => {
      const grant = await deps.provider.Grant.find(grantId);
      if (!grant) return [];
      const { name } = await deps.directory.describe(clientId);
      const words = (scope: string): string[] => scopeWords(scope.split(' ').filter(Boolean), deps.config);
      const signIn = words(grant.getOIDCScope());
      const access = Object.entries(grant.resources ?? {}).map(([resource, scope]) => ({
        resource: `At ${deps.nameOf(resource)}`,
        permissions: words(scope),
        details: [] as DetailWords[],
      }));
      const details = ((grant.rar ?? []) as AuthorizationDetail[]).map((detail) =>
        detailWords(detail, deps.config),
      );
      if (details.length > 0) access.push({ resource: 'In particular', permissions: [], details });
      if (signIn.length > 0) access.unshift({ resource: 'Sign-in', permissions: signIn, details: [] });
      return [{ clientId, name, access }];
    }),
  );
  return listed.flat();
}
