import type { DemoSystem } from './demo-system.fixture.js';

/*
 * What all real clients need of a server has a number each in the suites that share this. 2 (elicitation) and 17 (ID-JAG)
 * come with their capabilities.
 */

export async function readJson(url: string): Promise<any> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return response.json();
}

export const asMetadata = ({ issuer }: DemoSystem): Promise<any> =>
  readJson(`${issuer}/.well-known/oauth-authorization-server`);

export function resourceMetadata(resource: string): Promise<any> {
  const { origin, pathname } = new URL(resource);
  return readJson(`${origin}/.well-known/oauth-protected-resource${pathname}`);
}
