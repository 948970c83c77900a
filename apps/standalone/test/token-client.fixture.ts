import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { DemoSystem } from './demo-system.fixture.js';
import { signIn } from './oauth-client.fixture.js';

/**
 * A client of the current protocol version that comes with a token.
 *
 * @param onUrl follows the links that it is asked to show; without it the client shows none, and says so
 */
export async function connectWithToken(url: string, token: string, onUrl?: (url: string) => Promise<void>) {
  const client = new Client(
    { name: 'test', version: '1' },
    {
      versionNegotiation: { mode: { pin: '2026-07-28' } },
      ...(onUrl && { capabilities: { elicitation: { url: {} } } }),
    },
  );
  if (onUrl)
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      await onUrl((params as { url: string }).url);
      return { action: 'accept' };
    });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}

/** The same, of a person who has signed in. */
export async function connectAs(system: DemoSystem, username: string, server: string) {
  const resource = system.mcpUrl(server);
  const { access_token } = await signIn(system, { username, resource });
  return connectWithToken(resource, access_token);
}

/** What a tool said first, in words. */
export async function wordsOf(client: Client, name: string): Promise<string> {
  return textOf(await client.callTool({ name }));
}

export const textOf = (result: unknown): string =>
  (result as { content: { text: string }[] }).content[0]?.text ?? '';
