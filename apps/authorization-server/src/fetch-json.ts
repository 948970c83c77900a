import type { FetchDocument } from '@behalf/adapter-oidc-provider';

/** @throws Error for any other status than 200, and for what is no JSON */
export async function fetchJson(fetch: FetchDocument, url: string): Promise<unknown> {
  const response = await fetch(url, { headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return response.json();
}
