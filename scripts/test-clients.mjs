// Runs real MCP clients, headless, against a standalone that is started here on free ports with a fresh data folder.
// `npm run test:clients -- [--report FILE] [--only TEXT]`. Ends only what it started.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { report: { type: 'string' }, only: { type: 'string' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const standaloneMain = 'dist/apps/standalone/src/main.js';
const startTimeoutMs = 60_000;
const caseTimeoutMs = 90_000;
const demoPorts = [4000, 4001, 4002, 4003, 4010];

process.chdir(root);
if (!existsSync('clients/node_modules/.package-lock.json')) {
  console.log('Installing the clients (first run only) ...');
  await finished(
    spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: 'clients', stdio: 'inherit' }),
  );
}
if (!existsSync(standaloneMain) || !existsSync('dist/deploy/demo/whoami/main.js')) {
  await finished(spawn('npm', ['run', 'build'], { stdio: 'inherit' }));
}
const { buildCases, environment } = await import('../clients/cases.mjs');

const folder = mkdtempSync(join(tmpdir(), 'behalf-clients-'));
const results = [];
let system;
try {
  system = await startStandalone();
  const cases = buildCases((upstream) => `${system.gateway}/mcp/${upstream}`).filter(
    ({ name }) => !values.only || name.includes(values.only),
  );
  for (const one of cases) {
    const result = await runCase(one);
    results.push(result);
    console.log(`${result.passed ? 'pass' : 'FAIL'}  ${one.name.padEnd(52)} ${result.seconds.toFixed(1)} s`);
    if (!result.passed) console.log(indent(result.said));
  }
} finally {
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
}

const failed = results.filter(({ passed }) => !passed).length;
console.log(`\n${results.length - failed} of ${results.length} clients passed`);
if (values.report) {
  mkdirSync(dirname(resolve(values.report)), { recursive: true });
  const report = { numPassedTests: results.length - failed, numFailedTests: failed, numPendingTests: 0 };
  writeFileSync(values.report, `${JSON.stringify({ ...report, results }, undefined, 2)}\n`);
}
process.exit(failed > 0 || results.length === 0 ? 1 : 0);

/** Starts the system as `npm start` does, with the ports of the demo configuration replaced. */
async function startStandalone() {
  let text = readFileSync('deploy/demo/behalf.yaml', 'utf8');
  const ports = new Map();
  for (const port of demoPorts) ports.set(port, await freePort());
  for (const [port, free] of ports) text = text.replaceAll(String(port), String(free));
  text = text
    .replaceAll('.behalf', join(folder, 'data'))
    .replace(/^dataFolder/m, 'logLevel: warn\ndataFolder');
  const config = join(folder, 'behalf.yaml');
  writeFileSync(config, text);
  mkdirSync(join(folder, 'data', 'files'), { recursive: true });

  const child = spawn(process.execPath, [standaloneMain], {
    env: { ...process.env, BEHALF_CONFIG: config },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = finished(child, true);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
  const gateway = `http://localhost:${ports.get(4003)}`;
  const until = Date.now() + startTimeoutMs;
  while (!(await isReady(gateway))) {
    if (child.exitCode !== null || Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`the standalone did not start:\n${said}`);
    }
    await new Promise((resume) => setTimeout(resume, 200));
  }
  return {
    gateway,
    stop: async () => {
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
      if (said.includes('"level":50') || said.includes('"level":60')) console.log(indent(said));
    },
  };
}

function isReady(gateway) {
  return fetch(`${gateway}/readyz`).then(
    (answer) => answer.ok,
    () => false,
  );
}

async function runCase({ name, commands, check }) {
  const home = mkdtempSync(join(folder, 'home-'));
  const began = performance.now();
  let printed = { stdout: '', stderr: '', code: 0 };
  for (const command of commands) {
    printed = await run(command, home);
    if (printed.code !== 0) break;
  }
  let passed = false;
  try {
    passed = printed.code === 0 && check(JSON.parse(printed.stdout));
  } catch {
    // What is not JSON is a failure like any other; it is shown below.
  }
  const seconds = (performance.now() - began) / 1000;
  const said = `exit ${printed.code}\n${printed.stdout}\n${printed.stderr}`.slice(-6_000);
  return { name, passed, seconds, ...(!passed && { said }) };
}

async function run(command, home) {
  const child = spawn(process.execPath, command, {
    cwd: home,
    env: environment(home, dirname(process.execPath)),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => (output[name] += data));
  const timer = setTimeout(() => child.kill('SIGKILL'), caseTimeoutMs);
  const code = await finished(child, true);
  clearTimeout(timer);
  return { ...output, code };
}

function finished(child, mayFail = false) {
  return new Promise((resolved, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0 || mayFail) resolved(signal ?? code);
      else reject(new Error(`${child.spawnargs.join(' ')} ended with ${signal ?? code}`));
    });
  });
}

async function freePort() {
  const server = createServer();
  await new Promise((listening) => void server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

function indent(text) {
  return text.replaceAll(/^/gm, '      ');
}
