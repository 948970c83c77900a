// Runs one of @mcpjam/sdk's OAuth state machines: `node mcpjam-client.mjs URL PROTOCOL_VERSION dcr|cimd|preregistered [METADATA_URL]`.
// Prints its steps as JSON and fails when it does. Its negative checks run, too.
import { OAuthConformanceTest } from '@mcpjam/sdk';
import { readFile } from 'node:fs/promises';
import { openAsPerson } from './browser.mjs';

// The demo's metadata document is not on the network; the client wants to see it, too.
const pinnedDocument = new URL('../deploy/demo/client-metadata.json', import.meta.url);

const [serverUrl, protocolVersion, registrationStrategy, clientIdMetadataUrl] = process.argv.slice(2);
const test = new OAuthConformanceTest({
  serverUrl,
  protocolVersion,
  registrationStrategy,
  fetchFn: async (target, init) =>
    String(target.url ?? target) === clientIdMetadataUrl
      ? new Response(await readFile(pinnedDocument), { headers: { 'content-type': 'application/json' } })
      : fetch(target, init),
  auth: {
    mode: 'interactive',
    openUrl: async (url) => {
      await openAsPerson(url, process.env.BEHALF_TEST_USER ?? 'alice');
    },
  },
  ...(clientIdMetadataUrl && { client: { clientIdMetadataUrl } }),
  ...(registrationStrategy === 'preregistered' && { client: { preregistered: { clientId: 'demo-client' } } }),
  verification: { listTools: true, callTool: { name: 'echo', params: { message: 'hello' } } },
  oauthConformanceChecks: true,
});
const result = await test.run();
console.log(
  JSON.stringify({
    passed: result.passed,
    summary: result.summary,
    steps: result.steps.map(({ step, status, error }) => ({ step, status, error })),
    verification: result.verification,
  }),
);
process.exit(result.passed ? 0 : 1);
