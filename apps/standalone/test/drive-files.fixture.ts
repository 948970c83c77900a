import type { DemoSystem } from './demo-system.fixture.js';

/** The third party's files, by a call that the elicitation service makes for whoever the token is of. */
export function driveFiles({ config }: DemoSystem, token: string): Promise<Response> {
  const { publicUrl, paths, providers } = config.elicitation;
  const { host } = new URL(providers[0]?.resources?.[0] ?? '');
  const url = `${publicUrl}${paths.forward}/drive/${host}/api/files`;
  return fetch(url, { headers: { authorization: `Bearer ${token}` } });
}
