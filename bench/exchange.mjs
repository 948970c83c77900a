// Exchange throughput beside a bare server with the same signature work and beside oidc-provider's own client_credentials.
import { fork } from 'node:child_process';
import { Agent, request } from 'undici';
import { compare, print } from './load.mjs';
import { costOf } from './policy/process-cost.mjs';
import { basic, exchangeForm, personToken } from './tokens.mjs';

const dispatcher = new Agent({ connections: 64 });

/** @param vary makes each request another one, so that no cache can answer it */
export function poster(url, form, headers = {}, vary = () => '') {
  const fixed = new URLSearchParams(form).toString();
  const options = {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  };
  return async () => {
    const response = await request(url, { ...options, body: fixed + vary() });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode} ${text}`);
  };
}

export async function benchExchange(system) {
  const floor = fork('bench/floor-server.mjs');
  try {
    const floorReady = await new Promise((resolve) => floor.once('message', resolve));
    const issuer = system.url('4000');
    const subject = await personToken(issuer, 'alice', `${system.url('4003')}/mcp/whoami`);
    const { cpuMs } = system;
    const target = `${system.url('4010')}/mcp`;
    const exchanger = { authorization: basic('demo-gateway') };
    let count = 0;
    const contenders = {
      'floor: node:http, verify + sign': {
        call: poster(floorReady.url, { subject_token: floorReady.subjectToken }),
        cpuMs: () => costOf(floor.pid).cpuMs(),
      },
      'oidc-provider: client_credentials': {
        call: poster(
          `${issuer}/token`,
          { grant_type: 'client_credentials', resource: `${issuer}/admin`, scope: 'admin' },
          { authorization: basic('demo-admin') },
        ),
        cpuMs,
      },
      'exchange, another each time (decide, sign, record)': {
        call: poster(
          `${issuer}/token`,
          exchangeForm(subject, target),
          exchanger,
          () => `&request_context=${encodeURIComponent(JSON.stringify({ n: String((count += 1)) }))}`,
        ),
        cpuMs,
      },
      'exchange, the same again (cached, recorded)': {
        call: poster(`${issuer}/token`, exchangeForm(subject, target), exchanger),
        cpuMs,
      },
    };
    for (const concurrency of [1, 16]) {
      print(`Token endpoint, ${concurrency} caller(s)`, await compare(contenders, concurrency));
    }
  } finally {
    floor.kill();
  }
}
