import { testCertificate, testClientCertificates } from '@behalf/testing';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { type PolicyService, startPolicyService } from './policy-service.js';

const { authority, agent, selfSigned } = testClientCertificates;
const evaluation = {
  subject: { type: 'user', id: 'bob' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'echo', properties: { server: 'everything' } },
};

let folder: string;
let service: PolicyService | undefined;
const agents: Agent[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-certified-'));
  for (const [name, text] of Object.entries({ ...testCertificate, authority }))
    await writeFile(join(folder, `${name}.pem`), text);
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((one) => one.close()));
  await service?.close();
});
afterAll(() => rm(folder, { recursive: true }));

async function start(callers: object, change: object = {}) {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  service = await startPolicyService({
    settings: { listen: { port: 0, tls: { certFile, keyFile, requestClientCertificate: true } }, callers },
    mutualTls: { enabled: true, authoritiesFile: join(folder, 'authority.pem'), ...change },
  });
  return service;
}

/** The status of an evaluation that a holder of this certificate asks for. */
async function ask(
  { url }: PolicyService,
  certificate: { cert: string; key: string } | undefined,
  headers: Record<string, string> = {},
): Promise<number> {
  const dispatcher = new Agent({ connect: { ca: testCertificate.cert, ...certificate } });
  agents.push(dispatcher);
  const { statusCode, body } = await request(`${url}/access/v1/evaluation`, {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(evaluation),
  });
  await body.dump();
  return statusCode;
}

describe('callers with a certificate, over HTTP', () => {
  it.each([
    { tls_client_auth_subject_dn: String.raw`CN=reporter,O=Example\, Inc,C=DE` },
    { tls_client_auth_san_dns: 'reporter.example' },
    { tls_client_auth_san_uri: 'spiffe://example.org/reporter' },
    { tls_client_auth_san_ip: '192.0.2.7' },
    { tls_client_auth_san_email: 'reporter@example.org' },
  ])('are known by %j, and need no token', async (caller) => {
    const started = await start({ envoy: caller });
    expect(await ask(started, agent)).toBe(200);
    expect(started.audit.records.at(-1)).toMatchObject({ client: 'envoy', person: 'bob' });
  });

  it('are refused with another one, with none, and with one that nobody issued', async () => {
    const started = await start({ envoy: { tls_client_auth_san_dns: 'reporter.example' } });
    expect(await ask(started, undefined)).toBe(401);
    expect(await ask(started, selfSigned)).toBe(401);
    expect(await ask(started, testCertificate)).toBe(401);
    expect(started.audit.records).toEqual([]);
  });

  it('are refused when the configuration names somebody else, or nobody', async () => {
    expect(await ask(await start({ envoy: { tls_client_auth_san_dns: 'other.example' } }), agent)).toBe(401);
    await service?.close();
    expect(await ask(await start({}), agent)).toBe(401);
  });

  it('still have their token checked when they present one', async () => {
    const started = await start({ envoy: { tls_client_auth_san_dns: 'reporter.example' } });
    expect(await ask(started, agent, { authorization: 'Bearer x.y.z' })).toBe(401);
    expect(await ask(started, agent, { authorization: 'Basic eDp5' })).toBe(401);
  });

  it('are not believed by a header that anybody can write', async () => {
    const started = await start({ envoy: { tls_client_auth_san_dns: 'reporter.example' } });
    const der = agent.cert.replaceAll(/-----[^-]+-----|\s/g, '');
    expect(await ask(started, undefined, { 'client-cert': `:${der}:` })).toBe(401);
  });

  it('are believed by the header of a trusted proxy', async () => {
    const started = await start(
      { envoy: { tls_client_auth_san_dns: 'reporter.example' } },
      { trustedProxies: ['127.0.0.1'] },
    );
    const der = agent.cert.replaceAll(/-----[^-]+-----|\s/g, '');
    expect(await ask(started, undefined, { 'client-cert': `:${der}:` })).toBe(200);
  });

  it('are not known while client certificates are switched off', async () => {
    const started = await start(
      { envoy: { tls_client_auth_san_dns: 'reporter.example' } },
      { enabled: false },
    );
    expect(await ask(started, agent)).toBe(401);
  });
});
