// Every client with how it is started and what it must have managed in the end. A case is a list of commands that run
// one after the other with one home folder; `check` sees what the last one printed.
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const own = (name) => join(here, name);
const installed = (path) => join(here, 'node_modules', path);

const metadataUrl = 'https://client.demo.example/oauth/metadata.json';
const inspector = installed('@modelcontextprotocol/inspector/clients/launcher/build/index.js');
const mcpRemote = installed('mcp-remote/dist/proxy.js');

/** What a client program needs of its environment, and nothing else. */
export function environment(home, nodeFolder) {
  return {
    HOME: home,
    PATH: [join(here, 'bin'), nodeFolder, '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    BROWSER: own('browser.mjs'),
    BEHALF_TEST_USER: 'alice',
    MCP_AUTO_OPEN_ENABLED: 'true',
    MCP_INSPECTOR_SECRET_STORE: 'file',
  };
}

/** @param {(upstream: string) => string} mcpUrl the URL of an upstream of the gateway under test */
export function buildCases(mcpUrl) {
  return [...sdkCases(mcpUrl), ...mcpRemoteCases(mcpUrl), ...inspectorCases(mcpUrl), ...mcpjamCases(mcpUrl)];
}

const echo = ['echo', JSON.stringify({ message: 'hello' })];
const write = ['write_file', JSON.stringify({ path: 'from-a-client.txt', content: 'hello' })];

function echoed({ isError, text, tools, revision }, wanted = revision) {
  return !isError && text === 'Echo: hello' && !tools.includes('get-env') && revision === wanted;
}

function sdkCases(mcpUrl) {
  const run = (name, packageName, upstream, call, options, check) => ({
    name,
    commands: [[own('sdk-client.mjs'), packageName, mcpUrl(upstream), ...call, ...options]],
    check,
  });
  const through = [
    { registration: 'DCR', options: [] },
    { registration: 'CIMD', options: ['--metadata-url', metadataUrl] },
  ];
  const olderSdks = [
    // 1.10 knows no resource, so it reaches only the upstream that is the gateway's default.
    ['sdk 1.10.2', 'sdk-1.10', '2025-03-26'],
    ['sdk 1.17.5', 'sdk-1.17', '2025-06-18'],
    ['sdk 1.32.2', 'sdk-1.32', '2025-11-25'],
  ];
  return through.flatMap(({ registration, options }) => [
    ...olderSdks.map(([name, packageName, revision]) =>
      run(`${name}, ${registration}`, packageName, 'everything', echo, [...options, '--refresh'], (printed) =>
        echoed(printed, packageName === 'sdk-1.10' ? undefined : revision),
      ),
    ),
    ...[
      ['auto', '2026-07-28'],
      ['2026-07-28', '2026-07-28'],
      ['legacy', '2025-11-25'],
    ].map(([mode, revision]) =>
      run(
        `client 2.4.0 ${mode}, ${registration}`,
        'client-2.4',
        'everything',
        echo,
        [...options, '--mode', mode, '--refresh'],
        (printed) => echoed(printed, revision),
      ),
    ),
    run(
      `client 2.4.0 auto, ${registration}, step-up`,
      'client-2.4',
      'files',
      write,
      [...options, '--mode', 'auto'],
      ({ isError, tools }) => !isError && tools.includes('write_file'),
    ),
    run(
      `sdk 1.17.5, ${registration}, on behalf of`,
      'sdk-1.17',
      'whoami',
      ['whoami'],
      options,
      ({ text }) => JSON.parse(text).sub === 'alice' && JSON.parse(text).act.sub === 'demo-gateway',
    ),
  ]);
}

function mcpRemoteCases(mcpUrl) {
  const run = (name, port, options) => ({
    name: `mcp-remote 0.15.1, ${name}`,
    commands: [
      [
        own('stdio-client.mjs'),
        ...echo,
        '--',
        process.execPath,
        mcpRemote,
        mcpUrl('everything'),
        String(port),
        ...options,
      ],
    ],
    check: (printed) => echoed(printed),
  });
  return [
    run('DCR', 47121, []),
    run('CIMD', 47122, ['--client-metadata-url', metadataUrl]),
    run('pre-registered', 47123, [
      '--static-oauth-client-info',
      JSON.stringify({ client_id: 'demo-client' }),
    ]),
  ];
}

function inspectorCases(mcpUrl) {
  const run = (name, options) => {
    const cli = [
      inspector,
      '--cli',
      mcpUrl('everything'),
      '--transport',
      'http',
      ...options,
      '--format',
      'json',
    ];
    return {
      name: `inspector 2.12.0 CLI, ${name}`,
      commands: [
        [...cli, '--method', 'tools/list'],
        [...cli, '--method', 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hello'],
      ],
      check: (printed) => JSON.stringify(printed).includes('Echo: hello'),
    };
  };
  return [
    run('DCR', []),
    run('DCR, modern', ['--protocol-era', 'modern']),
    run('CIMD', ['--client-metadata-url', metadataUrl]),
    run('CIMD, auto', ['--client-metadata-url', metadataUrl, '--protocol-era', 'auto']),
  ];
}

function mcpjamCases(mcpUrl) {
  const strategies = [
    ['2025-03-26', 'dcr'],
    ['2025-03-26', 'preregistered'],
    ['2025-06-18', 'dcr'],
    ['2025-06-18', 'preregistered'],
    ['2025-11-25', 'dcr'],
    ['2025-11-25', 'preregistered'],
    ['2025-11-25', 'cimd'],
  ];
  return strategies.map(([revision, registration]) => ({
    name: `mcpjam sdk 1.14.0, ${revision}, ${registration}`,
    commands: [
      [
        own('mcpjam-client.mjs'),
        mcpUrl('everything'),
        revision,
        registration,
        ...(registration === 'cimd' ? [metadataUrl] : []),
      ],
    ],
    check: ({ passed }) => passed,
  }));
}
