// A tool call through the gateway beside the same call to the server behind it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import { compare, print } from './load.mjs';
import { basic, exchangeForm, personToken, post } from './tokens.mjs';

const dispatcher = new Agent({ connections: 64 });
const version = '2026-07-28';
const meta = {
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientCapabilities': {},
};

function caller(url, token, name, args) {
  let id = 0;
  return async () => {
    id += 1;
    const { statusCode, body } = await request(url, {
      method: 'POST',
      dispatcher,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': version,
        'mcp-method': 'tools/call',
        'mcp-name': name,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name, arguments: args, _meta: meta },
      }),
    });
    const text = await body.text();
    if (statusCode !== 200 || text.includes('"isError":true'))
      throw new Error(`${url}: ${statusCode} ${text}`);
  };
}

/** server-everything on its own, spoken to as the gateway does. */
async function startEverything() {
  const child = spawn('mcp-server-everything', ['stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const waiting = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id } = JSON.parse(line);
    waiting.get(id)?.();
    waiting.delete(id);
  });
  let id = 0;
  const send = (method, params) =>
    new Promise((resolve) => {
      id += 1;
      waiting.set(id, resolve);
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    });
  await send('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  });
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  return {
    echo: () => send('tools/call', { name: 'echo', arguments: { message: 'x' } }),
    stop: () => child.kill(),
  };
}

export async function benchGateway(system) {
  const issuer = system.url('4000');
  const resource = (name) => `${system.url('4003')}/mcp/${name}`;
  const upstream = `${system.url('4010')}/mcp`;
  const forWhoami = await personToken(issuer, 'alice', resource('whoami'));
  const forEverything = await personToken(issuer, 'alice', resource('everything'));
  const exchanged = await post(`${issuer}/token`, exchangeForm(forWhoami, upstream), {
    authorization: basic('demo-gateway'),
  });
  const everything = await startEverything();
  try {
    for (const concurrency of [1, 16]) {
      print(
        `HTTP upstream, ${concurrency} caller(s)`,
        await compare(
          {
            'whoami directly': { call: caller(upstream, exchanged.access_token, 'whoami', {}) },
            'whoami through the gateway (decide + exchange)': {
              call: caller(resource('whoami'), forWhoami, 'whoami', {}),
              cpuMs: system.cpuMs,
            },
          },
          concurrency,
        ),
      );
      print(
        `stdio upstream, ${concurrency} caller(s)`,
        await compare(
          {
            'echo directly over stdio': { call: everything.echo },
            'echo through the gateway (decide)': {
              call: caller(resource('everything'), forEverything, 'echo', { message: 'x' }),
              cpuMs: system.cpuMs,
            },
          },
          concurrency,
        ),
      );
    }
  } finally {
    everything.stop();
  }
}
