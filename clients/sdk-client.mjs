// Runs one generation of the official SDK through the whole flow: `node sdk-client.mjs PACKAGE URL TOOL ARGUMENTS [options]`.
// Options: --metadata-url URL (client by metadata document), --mode auto|legacy|2026-07-28 (2.x), --refresh.
// Prints one JSON object: the client id, the tools, the text of the call, the negotiated revision.
import { parseArgs } from 'node:util';
import { openAsPerson } from './browser.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'metadata-url': { type: 'string' }, mode: { type: 'string' }, refresh: { type: 'boolean' } },
});
const [packageName, url, tool, toolArguments = '{}'] = positionals;
const metadataUrl = values['metadata-url'];
const isV2 = packageName === 'client-2.4';
// SDKs before 1.23 do not know metadata documents; to them such a client id is one that was registered by hand.
const knowsMetadataUrl = isV2 || packageName === 'sdk-1.32';

const { Client, Transport, UnauthorizedError } = await load();

async function load() {
  if (isV2) {
    const v2 = await import('client-2.4');
    return { ...v2, Transport: v2.StreamableHTTPClientTransport };
  }
  const [client, transport, auth] = await Promise.all(
    ['index', 'streamableHttp', 'auth'].map((name) => import(`${packageName}/client/${name}.js`)),
  );
  return { ...client, ...auth, Transport: transport.StreamableHTTPClientTransport };
}

const kept = {
  verifier: '',
  client: undefined,
  tokens: undefined,
  discovered: undefined,
  callback: undefined,
};
if (metadataUrl && !knowsMetadataUrl) kept.client = { client_id: metadataUrl };
const redirectUrl = 'http://127.0.0.1:47116/callback';
const provider = {
  redirectUrl,
  ...(metadataUrl && knowsMetadataUrl && { clientMetadataUrl: metadataUrl }),
  clientMetadata: {
    client_name: `Test of ${packageName}`,
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => {
    kept.client = client;
  },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => {
    kept.tokens = tokens;
  },
  saveCodeVerifier: (verifier) => {
    kept.verifier = verifier;
  },
  codeVerifier: () => kept.verifier,
  saveDiscoveryState: (discovered) => {
    kept.discovered = discovered;
  },
  discoveryState: () => kept.discovered,
  redirectToAuthorization: async (authorizationUrl) => {
    kept.callback = await openAsPerson(authorizationUrl, process.env.BEHALF_TEST_USER ?? 'alice', {
      visitRedirectUri: false,
    });
  },
};

const finish = (transport) =>
  transport.finishAuth(isV2 ? kept.callback.searchParams : kept.callback.searchParams.get('code'));

async function connect() {
  const mode = values.mode === '2026-07-28' ? { pin: values.mode } : (values.mode ?? 'legacy');
  const client = new Client(
    { name: 'behalf-test', version: '1.0.0' },
    isV2 ? { versionNegotiation: { mode } } : {},
  );
  const transport = new Transport(new URL(url), { authProvider: provider });
  try {
    await client.connect(transport);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await finish(transport);
    return undefined;
  }
  return { client, transport };
}

async function call({ client, transport }) {
  const request = { name: tool, arguments: JSON.parse(toolArguments) };
  try {
    return await client.callTool(request);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await finish(transport);
    return client.callTool(request);
  }
}

let connected = (await connect()) ?? (await connect());
if (values.refresh) {
  // An access token that is no good any more: the client has to refresh.
  const { access_token: before } = kept.tokens;
  kept.tokens = { ...kept.tokens, access_token: 'expired' };
  kept.callback = undefined;
  await connected.client.close();
  connected = await connect();
  if (!connected || kept.callback || kept.tokens.access_token === before)
    throw new Error('the client did not refresh');
}
const { tools } = await connected.client.listTools();
const result = await call(connected);
console.log(
  JSON.stringify({
    clientId: kept.client.client_id,
    tools: tools.map(({ name }) => name),
    isError: result.isError === true,
    text: result.content.map(({ text }) => text ?? '').join('\n'),
    revision: isV2 ? connected.client.getNegotiatedProtocolVersion() : connected.transport.protocolVersion,
  }),
);
await connected.client.close();
process.exit(0);
