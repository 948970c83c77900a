import { upstreamResource } from '@behalf/config';
import { HeadlessBrowser } from '@behalf/headless-browser';
import { loadConfig } from '@behalf/service-kit';
import { Agent } from './agent.js';
import { Person, type PersonOptions } from './person.js';
import { connectDemoDrive } from './third-party.js';
import { chapter, outcome, showClaims, sideBySide, tell } from './print.js';

// Plays the story of the demo against a running system: `npm start` first.
const config = loadConfig('deploy/demo/behalf.yaml');
const { issuer } = config.authorizationServer;
const agentId = 'demo-agent';
const { resources } = config.authorizationServer;
const agentResource = resources.find(({ servedBy }) => servedBy.includes(agentId))?.resource ?? '';
const clientId = config.authorizationServer.clientIdMetadata.pinned[0]?.url ?? '';
const resource = (upstream: string): string => upstreamResource(config.gateway, upstream);

if (
  !(await fetch(`${issuer}${config.health.live}`).then(
    (answer) => answer.ok,
    () => false,
  ))
) {
  console.error(`Nothing answers at ${issuer}. Run "npm start" in another terminal first.`);
  process.exit(1);
}

const alice = new HeadlessBrowser();
const bob = new HeadlessBrowser();
const people: Person[] = [];
const connect = async (
  username: string,
  browser: HeadlessBrowser,
  upstream: string,
  options: PersonOptions = {},
): Promise<Person> => {
  const person = new Person(username, resource(upstream), browser, clientId, options);
  people.push(person);
  await person.connect();
  return person;
};

chapter('1. Alice signs in with an MCP client and calls a tool');
tell(`The client knows only ${resource('everything')}; discovery, sign-in and consent follow from its 401.`);
const everything = await connect('alice', alice, 'everything');
showClaims('Her token:', everything.accessToken);
const echo = await everything.call('echo', { message: 'hello on behalf of alice' });
outcome(!echo.isError, 'echo', echo.text);

chapter('2. A tool that nobody may call');
const environment = await everything.call('get-env');
outcome(!environment.isError, 'get-env', environment.text);

chapter('3. The same server, two people: what each of them sees');
const aliceFiles = await connect('alice', alice, 'files');
const bobFiles = await connect('bob', bob, 'files');
sideBySide(
  { title: 'alice (eng)', rows: await aliceFiles.listTools() },
  { title: 'bob (sales)', rows: await bobFiles.listTools() },
);

chapter('4. Writing needs a scope more, and the right team');
const note = { path: 'hello.txt', content: 'written on behalf of alice\n' };
const written = await aliceFiles.call('write_file', note);
outcome(!written.isError, 'alice: write_file, after she was asked for files:write', written.text);
const refused = await bobFiles.call('write_file', note);
outcome(!refused.isError, 'bob: write_file, although he agreed to files:write too', refused.text);

chapter('5. What the server behind the gateway sees: one hop');
const whoami = await connect('alice', alice, 'whoami');
showClaims('Alice sends the gateway', whoami.accessToken);
tell('and the server behind it verifies and answers');
tell((await whoami.call('whoami')).text);

chapter('6. Two hops: alice → demo-agent → gateway → server');
const agent = await Agent.discover(issuer, agentId, 'demo-agent-secret');
const forAgent = await agent.tokenFrom('alice', alice, agentResource);
showClaims('Alice gives the agent', forAgent);
const onBehalf = await exchanged(forAgent, 'whoami');
showClaims('which exchanges it for', onBehalf);
tell('and calls whoami with it; the server sees');
tell(await callWithToken('whoami', 'whoami', onBehalf));

chapter('7. A server that wants to know from alice herself who may act for her');
const asked = await agent.exchange(forAgent, resource('everything'));
if (typeof asked === 'string') tell('She has let the agent in already.');
else {
  tell(`The agent is told that she has to agree first, here: ${asked.url}`);
  const question = await alice.open(asked.url);
  tell(`She opens it and reads "${titleOf(question.html)}"; she approves.`);
  await alice.submit(question, { decision: 'allow' });
  const granted = await agent.exchange(forAgent, resource('everything'), asked.requestId);
  outcome(typeof granted === 'string', 'the agent asks again', 'the token names the grant it stands on');
}
const underGrant = await exchanged(forAgent, 'everything');
tell(await callWithToken('everything', 'echo', underGrant, { message: 'hello on behalf of alice' }));
const account = await alice.open(`${issuer}${config.authorizationServer.paths.account}`);
tell(`"${titleOf(account.html)}", says ${account.url.href}: ${firstAgentOf(account.html)}`);
await alice.submit(account, {});
tell('She ends it there with one click, and calls the agent makes with the token it still holds:');
await callWithToken('everything', 'echo', underGrant).then(
  (text) => outcome(true, 'echo', text),
  (error: unknown) => outcome(false, 'echo', error instanceof Error ? error.message : ''),
);

chapter('8. A tool that needs an account of alice at a third party');
const drive = await connect('alice', alice, 'drive', {
  onUrl: async (url) => {
    tell(`Her client shows her a URL and nothing else: ${url}`);
    tell(
      `She signs in, agrees, agrees at Demo Drive, and reads "${await connectDemoDrive(alice, url, 'alice')}".`,
    );
  },
});
const listed = await drive.call('list_files');
outcome(!listed.isError, 'list_files, by the call that was waiting', listed.text);

chapter('9. The same for bob, whose client is of the era before and shows no URLs');
const bobDrive = await connect('bob', bob, 'drive', { era: 'legacy' });
const inWords = await bobDrive.call('list_files');
outcome(!inWords.isError, 'list_files', inWords.text);
const [link] = /http\S+\/connect\?e=[0-9a-f-]+/.exec(inWords.text) ?? [];
if (link !== undefined) {
  tell(`His model passes the link on, he opens it, and reads "${await connectDemoDrive(bob, link, 'bob')}".`);
  const again = await bobDrive.call('list_files');
  outcome(!again.isError, 'list_files, called again', again.text);
}

chapter('10. What alice has connected, and how she ends it');
const { publicUrl, paths } = config.elicitation;
const connections = await alice.open(`${publicUrl}${paths.connections}`);
tell(
  `"${titleOf(connections.html)}", says ${connections.url.href}; she disconnects Demo Drive, there and here.`,
);
await alice.submit(connections, {});
const ended = await (await connect('alice', alice, 'drive')).call('list_files');
outcome(!ended.isError, 'list_files', ended.text);

await Promise.all(people.map((person) => person.close()));

/** A token that nobody has to be asked for. */
async function exchanged(subjectToken: string, upstream: string): Promise<string> {
  const answer = await agent.exchange(subjectToken, resource(upstream));
  if (typeof answer === 'string') return answer;
  throw new Error(`nobody has agreed at ${answer.url}`);
}

/** One tools/call as an agent makes it: with a token in hand and nobody to ask. */
async function callWithToken(
  upstream: string,
  name: string,
  token: string,
  args: Record<string, unknown> = {},
): Promise<string> {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const client = new Client({ name: agentId, version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(resource(upstream)), {
      authProvider: { token: async () => token },
    }),
  );
  const result = await client.callTool({ name, arguments: args });
  await client.close();
  return result.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}

function titleOf(page: string): string {
  return /<title>([^<]*)/.exec(page)?.[1] ?? '';
}

function firstAgentOf(page: string): string {
  const article = /<article[\s\S]*?<form/.exec(page)?.[0] ?? 'nobody';
  return article
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/<form$/, '')
    .trim();
}
