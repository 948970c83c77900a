// An agent of the bench, which authenticates by private_key_jwt as agents do, and whom the demo's policy lets act.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { signJwt } from '../dist/libs/jwt/src/index.js';
import { basic, post } from './tokens.mjs';

export const agentId = 'https://agents.example/bench';
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const kid = 'bench';

/** Before the system starts: gives it policies of its own, in which the agent may act beside the demo's. */
export function admitAgent(folder) {
  const policies = join(folder, 'policies');
  cpSync('deploy/demo/policies', policies, { recursive: true });
  edit(join(policies, 'exchange.cedar'), 'Agent::"demo-agent",', `Agent::"${agentId}", Agent::"demo-agent",`);
  edit(join(folder, 'behalf.yaml'), 'deploy/demo/policies', policies);
}

function edit(file, before, after) {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
  writeFileSync(file, text.replace(before, after));
}

/** @returns gives an assertion of the agent at every call; `prepare` makes so many of them beforehand */
export async function createAgent(issuer, audiences) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { access_token: token } = await post(
    `${issuer}/token`,
    { grant_type: 'client_credentials', resource: `${issuer}/admin`, scope: 'admin' },
    { authorization: basic('demo-admin') },
  );
  const response = await fetch(`${issuer}/admin/agents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      id: agentId,
      name: 'Bench',
      owner: 'bench@example.com',
      purpose: 'Is measured',
      jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid }] },
      ceiling: { audiences, scopes: ['mcp:tools'] },
    }),
  });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  const sign = () => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: agentId, sub: agentId, aud: issuer, jti: randomUUID(), iat: now, exp: now + 240 };
    return signJwt(claims, { alg: 'ES256', kid, typ: 'JWT' }, privateKey);
  };
  await untilTaken(issuer, sign);
  const ready = [];
  const prepare = (calls) => {
    // Those of earlier turns may have become too old.
    ready.length = 0;
    while (ready.length < calls) ready.push(sign());
  };
  return Object.assign(() => ready.pop() ?? sign(), { prepare });
}

/** A process that has just started takes no assertion that may have been made before. */
async function untilTaken(issuer, sign) {
  for (let seconds = 0; seconds < 60; seconds += 1) {
    const form = {
      grant_type: 'client_credentials',
      client_assertion_type: assertionType,
      client_assertion: sign(),
    };
    const { status } = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
    if (status !== 401) return;
    await setTimeout(1000);
  }
  throw new Error('no assertion was taken');
}
