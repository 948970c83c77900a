import type { Provider } from 'oidc-provider';

const maxNameLength = 200;

/**
 * Finds the client that a chain began with, by the grant its person gave it, and what everybody in the chain calls
 * themselves. The grant outlives the tokens, and no client of the chain can say anything about it.
 */
export function chainDescriber(
  provider: Provider,
): (
  subject: { grant_id?: string | undefined; client_id: string },
  actors: readonly string[],
) => Promise<{ client: string; names: Record<string, string> }> {
  return async (subject, actors) => {
    const grant = subject.grant_id === undefined ? undefined : await provider.Grant.find(subject.grant_id);
    const client = grant?.clientId ?? subject.client_id;
    const names: Record<string, string> = {};
    for (const id of new Set([client, ...actors])) {
      const name = (await provider.Client.find(id).catch(() => undefined))?.clientName;
      if (name !== undefined && name !== '') names[id] = name.slice(0, maxNameLength);
    }
    return { client, names };
  };
}
