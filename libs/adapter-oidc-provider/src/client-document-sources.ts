import { readFileSync } from 'node:fs';
import type { ProviderDependencies } from './dependencies.js';

/** Whether an id that is a URL may be asked for the metadata of a client. */
export async function mayFetchClientDocument(
  clientId: string,
  { config, mayFetchFrom }: ProviderDependencies,
): Promise<boolean> {
  const { issuer, paths, clientIdMetadata } = config.authorizationServer;
  const { allowedHosts, pinned } = clientIdMetadata;
  // Ids below this are ours: who is no agent here has none.
  if (clientId.startsWith(`${issuer}${paths.agents}/`)) return false;
  // The library accepts https://host, which has no path component.
  if (!/^https:\/\/[^/?#]+\//.test(clientId)) return false;
  if (pinned.some(({ url }) => url === clientId)) return true;
  const { hostname } = new URL(clientId);
  if (allowedHosts !== undefined && !allowedHosts.includes(hostname)) return false;
  // Anybody can make us fetch, without signing in: nobody may use that to press on a third party.
  return mayFetchFrom(hostname);
}

/** Read once, at the start: a missing file must not be found out by a person who signs in. */
export function readPinnedDocuments(pinned: { url: string; file: string }[]): ReadonlyMap<string, string> {
  return new Map(pinned.map(({ url, file }) => [url, readFileSync(file, 'utf8')]));
}
