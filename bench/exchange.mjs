// Exchange throughput beside a bare server with the same signature work and beside oidc-provider's own client_credentials.
import { fork } from 'node:child_process';
import { Agent, request } from 'undici';
import { admitAgent, agentId, assertionType, createAgent } from './agent.mjs';
import { compare, print } from './load.mjs';
import { settle } from './settle.mjs';
import { costOf } from './policy/process-cost.mjs';
import { makeSigningKey, tokensLike } from './subject-tokens.mjs';
import { startFleet } from './system.mjs';
import { basic, exchangeForm, personToken } from './tokens.mjs';

const dispatcher = new Agent({ connections: 64 });
/** Of callers who ask for the same at the same time. */
const identical = 64;
const longestChain = 4;

/** Before the issuer starts. */
export async function prepareExchange(folder) {
  admitAgent(folder);
  return { signingKey: await makeSigningKey(folder) };
}

/**
 * @param vary what is added to each request, so that no cache can answer it
 * @returns posts, and gives the answer
 */
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
    return JSON.parse(text);
  };
}

/** Exchanges as the gateway, of a token that `nextToken` gives. */
function exchanger(system, nextToken, vary = () => '', headers = { authorization: basic('demo-gateway') }) {
  const { subject_token: _, ...form } = exchangeForm('', `${system.url('4010')}/mcp`);
  return poster(`${system.url('4000')}/token`, form, headers, () => `&subject_token=${nextToken()}${vary()}`);
}

/** The same as an agent, which signs an assertion for every request and is named in the token that it was given. */
async function agentExchangers(system, subject) {
  const nextAssertion = await createAgent(system.url('4000'), [`${system.url('4010')}/mcp`]);
  const fresh = tokensLike(subject, system.prepared.signingKey, { may_act: { sub: agentId } });
  const type = encodeURIComponent(assertionType);
  const assert = () => `&client_assertion_type=${type}&client_assertion=${nextAssertion()}`;
  const { cpuMs } = system;
  const same = fresh();
  const prepareBoth = (calls) => {
    fresh.prepare(calls);
    nextAssertion.prepare(calls);
  };
  return {
    'by private_key_jwt, cold': { call: exchanger(system, fresh, assert, {}), cpuMs, prepare: prepareBoth },
    'by private_key_jwt, warm': {
      call: exchanger(system, () => same, assert, {}),
      cpuMs,
      prepare: nextAssertion.prepare,
    },
  };
}

const signIn = (system) => personToken(system.url('4000'), 'alice', `${system.url('4003')}/mcp/whoami`);

export async function benchExchange(system) {
  const subject = await signIn(system);
  await benchEndpoint(system, subject);
  await benchIdentical(system, subject);
  await benchChain(system, subject);
  await benchProcesses();
}

async function benchEndpoint(system, subject) {
  const floors = [fork('bench/floor-server.mjs'), fork('bench/floor-server.mjs', ['ours'])];
  try {
    const ready = await Promise.all(
      floors.map((floor) => new Promise((resolve) => floor.once('message', resolve))),
    );
    const floorOf = (nth) => ({
      call: poster(ready[nth].url, { subject_token: ready[nth].subjectToken }),
      cpuMs: () => costOf(floors[nth].pid).cpuMs(),
    });
    const issuer = system.url('4000');
    const { cpuMs, prepared } = system;
    const fresh = tokensLike(subject, prepared.signingKey);
    const vary = different();
    const own = { grant_type: 'client_credentials', resource: `${issuer}/admin`, scope: 'admin' };
    const cold = 'exchange, cold (another subject token each time)';
    const warm = 'exchange, warm (the same again, cached, recorded)';
    const contenders = {
      'floor: node:http, verify + sign by jose': floorOf(0),
      'the same floor, verify + sign by our own code': floorOf(1),
      'oidc-provider: client_credentials': {
        call: poster(`${issuer}/token`, own, { authorization: basic('demo-admin') }),
        cpuMs,
      },
      [cold]: { call: exchanger(system, fresh), cpuMs, prepare: fresh.prepare },
      'exchange, another request with the same token': {
        call: exchanger(system, () => subject, vary),
        cpuMs,
      },
      [warm]: { call: exchanger(system, () => subject), cpuMs },
      ...(await agentExchangers(system, subject)),
    };
    tellSettled(await settle(contenders));
    for (const concurrency of [1, 16]) {
      const results = await compare(contenders, concurrency, 0);
      print(`Token endpoint, ${concurrency} caller(s)`, results);
      const byRequests = results[warm].perSecond / results[cold].perSecond;
      const byCpu = results[cold].cpu / results[warm].cpu;
      console.log(`  warm is ${byRequests.toFixed(1)} x cold; by CPU ${byCpu.toFixed(1)} x`);
      console.log(`  memory of the process: ${system.memory().toFixed(0)} MiB`);
    }
  } finally {
    for (const floor of floors) floor.kill();
  }
}

function tellSettled({ calls, isBounded, costs }) {
  console.log(
    `\nCPU ms of a request while warming up, ${calls} requests each${isBounded ? ', the bound' : ''}`,
  );
  for (const [name, each] of Object.entries(costs))
    console.log(`  ${name.padEnd(52)}${each.map((cost) => cost.toFixed(2)).join(' ')}`);
}

/** Callers who ask for the same at the same time get one token, made once. */
async function benchIdentical(system, subject) {
  const fresh = tokensLike(subject, system.prepared.signingKey);
  const made = [];
  for (let burst = 0; burst < 10; burst += 1) {
    const token = fresh();
    const call = exchanger(system, () => token);
    const answers = await Promise.all(Array.from({ length: identical }, call));
    made.push(new Set(answers.map((answer) => answer.access_token)).size);
  }
  console.log(`\n${identical} identical callers at a time, ten times: ${made.join(', ')} token(s) made`);
}

/** What each actor that is in the chain already adds. */
async function benchChain(system, subject) {
  const contenders = {};
  let token = subject;
  for (let actors = 0; actors <= longestChain; actors += 1) {
    const fresh = tokensLike(token, system.prepared.signingKey);
    const call = exchanger(system, fresh);
    contenders[`a chain of ${actors} before the exchange`] = {
      call,
      cpuMs: system.cpuMs,
      prepare: fresh.prepare,
    };
    if (actors < longestChain) ({ access_token: token } = await call());
  }
  const results = await compare(contenders, 16);
  print('Cold exchange by length of the chain, 16 callers', results);
  const costs = Object.values(results).map(({ cpu }) => cpu);
  const perLink = (costs.at(-1) - costs[0]) / longestChain;
  console.log(
    `  each link adds ${perLink.toFixed(3)} ms of CPU, ${((100 * perLink) / costs[0]).toFixed(0)} %`,
  );
}

/** The services as processes of their own, on PostgreSQL, Redis and NATS: one of each, then two. */
async function benchProcesses() {
  const perSecond = [];
  for (const replicas of [1, 2]) {
    const fleet = await startFleet(replicas);
    try {
      const subject = await signIn(fleet);
      const contenders = {
        [`${replicas} of each service`]: { call: exchanger(fleet, () => subject, different()) },
      };
      const results = await compare(contenders, 32);
      print('Exchange, another request each time, services as processes of their own, 32 callers', results);
      perSecond.push(Object.values(results)[0].perSecond);
    } finally {
      await fleet.stop();
    }
  }
  console.log(`  a second process of each: ${(perSecond[1] / perSecond[0]).toFixed(2)} x`);
}

/** Makes every request another one, of which only the answer's place in the cache depends. */
function different() {
  let count = 0;
  return () => `&request_context=${encodeURIComponent(JSON.stringify({ n: String((count += 1)) }))}`;
}
