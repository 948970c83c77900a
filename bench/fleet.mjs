// The same calls to everything in one process and to four services apart, with one and with two of each; how long a
// revocation takes to be refused by every gateway; what each service takes to start and to hold.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { settingsOf, startFleet } from '../dist/deploy/fleet/start-fleet.js';
import { startWhoami } from '../dist/deploy/demo/whoami/start-whoami.js';
import { loadConfig } from '../dist/libs/service-kit/src/index.js';
import { compare, print } from './load.mjs';
import { costOf } from './policy/process-cost.mjs';
import { movedConfig, startSystem } from './system.mjs';
import { basic, exchangeForm, personToken, post } from './tokens.mjs';

const dispatcher = new Agent({ connections: 64 });
const revocations = Number(process.env.BENCH_REVOCATIONS ?? 100);

async function send(url, options) {
  const { statusCode, body } = await request(url, { method: 'POST', dispatcher, ...options });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${url}: ${statusCode} ${text}`);
  return text;
}

/** Decisions and exchanges of a system that is found by the ports of the demo. */
async function callsTo(url) {
  const subject = await personToken(url('4000'), 'alice', `${url('4003')}/mcp/whoami`);
  let count = 0;
  const exchange = new URLSearchParams(exchangeForm(subject, `${url('4010')}/mcp`)).toString();
  const evaluation = JSON.stringify({
    subject: { type: 'user', id: 'alice' },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'read_file', properties: { server: 'files' } },
  });
  return {
    decision: () =>
      send(`${url('4002')}/access/v1/evaluation`, {
        headers: { 'content-type': 'application/json' },
        body: evaluation,
      }),
    // Another one each time: no cache can answer it.
    exchange: () =>
      send(`${url('4000')}/token`, {
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: basic('demo-gateway'),
        },
        body: `${exchange}&request_context=${encodeURIComponent(JSON.stringify({ n: String((count += 1)) }))}`,
      }),
  };
}

async function startApart(replicas) {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-bench-fleet-'));
  const { file, url } = await movedConfig(folder);
  const overlay = join(folder, 'bench.json');
  writeFileSync(
    overlay,
    JSON.stringify({ gateway: { upstreams: { whoami: { process: null }, drive: null } } }),
  );
  const configFiles = `${file}:${overlay}`;
  const config = loadConfig('', { ...process.env, BEHALF_CONFIG: configFiles });
  const whoami = await startWhoami({
    port: Number(new URL(url('4010')).port),
    issuer: url('4000'),
    jwksUri: `${url('4000')}/jwks`,
    resource: `${url('4010')}/mcp`,
  });
  const began = performance.now();
  const ready = {};
  const fleet = await startFleet({
    config,
    configFiles,
    dist: 'dist',
    replicas,
    onLine: (service, line) => {
      if (line.includes(' listens on ')) (ready[service] ??= []).push({ at: performance.now(), line });
    },
  });
  return {
    url,
    ready,
    seconds: (performance.now() - began) / 1000,
    gateways: (ready.gateway ?? []).map(({ line }) => line.split(' listens on ')[1].trim()),
    costs: Object.fromEntries(
      Object.keys(settingsOf).map((name) => [name, fleet.services[name].map(({ pid }) => costOf(pid))]),
    ),
    async stop() {
      await fleet.close();
      await whoami.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** From the answer of the revocation endpoint to the first refusal, of the slowest gateway, while others are served. */
async function revocationTimes({ url, gateways }) {
  const resource = `${url('4003')}/mcp/everything`;
  const ask = async (base, token) => {
    const { statusCode, body } = await request(`${base}/mcp/everything`, {
      method: 'POST',
      dispatcher,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        host: new URL(resource).host,
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    });
    await body.dump();
    return statusCode;
  };
  const load = { goesOn: true };
  const { exchange } = await callsTo(url);
  const loading = Array.from({ length: 4 }, async () => {
    while (load.goesOn) await exchange();
  });
  const tokens = [];
  for (let nth = 0; nth < revocations; nth += 1)
    tokens.push(await personToken(url('4000'), 'alice', resource));
  const times = [];
  for (const token of tokens) {
    await post(`${url('4000')}/revoke`, { token, client_id: 'demo-client' }).catch((error) => {
      if (!(error instanceof SyntaxError)) throw error;
    });
    const answered = performance.now();
    const refused = gateways.map(async (base) => {
      while ((await ask(base, token)) !== 401) await setTimeout(1);
      return performance.now() - answered;
    });
    times.push(Math.max(...(await Promise.all(refused))));
  }
  load.goesOn = false;
  await Promise.all(loading);
  return times.sort((one, other) => one - other);
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

export async function benchFleet() {
  const systems = {};
  const contenders = { decision: {}, exchange: {} };
  const add = async (name, system, cpuOf) => {
    systems[name] = system;
    const calls = await callsTo(system.url);
    for (const kind of Object.keys(contenders))
      contenders[kind][name] = { call: calls[kind], cpuMs: () => cpuOf(kind) };
  };
  try {
    const one = await startSystem();
    await add('one process, embedded', one, () => one.cpuMs());
    for (const replicas of [1, 2]) {
      const apart = await startApart(replicas);
      const all = Object.values(apart.costs).flat();
      await add(`four services, ${replicas} of each`, apart, () =>
        all.reduce((sum, { cpuMs }) => sum + cpuMs(), 0),
      );
      console.log(
        `\nFour services, ${replicas} of each: started in ${apart.seconds.toFixed(1)} s, with their servers`,
      );
      for (const [service, costs] of Object.entries(apart.costs))
        console.log(
          `  ${service.padEnd(24)}${costs.map(({ memory, cpuMs }) => `${memory().toFixed(0)} MiB, ${(cpuMs() / 1000).toFixed(1)} s of CPU to start`).join('; ')}`,
        );
    }
    for (const kind of Object.keys(contenders))
      for (const concurrency of [1, 16])
        print(`${kind}, ${concurrency} caller(s)`, await compare(contenders[kind], concurrency));
    const times = await revocationTimes(systems['four services, 2 of each']);
    console.log(
      `\nRevocation, from its answer to refusal by both gateways, under load: p50 ${at(times, 0.5).toFixed(1)} ms, ` +
        `p90 ${at(times, 0.9).toFixed(1)} ms, p99 ${at(times, 0.99).toFixed(1)} ms, most ${at(times, 1).toFixed(1)} ms of ${times.length}`,
    );
  } finally {
    for (const system of Object.values(systems)) await system.stop();
  }
}
