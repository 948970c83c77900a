import { evaluatePolicy, evaluatePolicyBatch } from '@behalf/contracts';
import type { Evaluation } from '@behalf/contracts';
import type { RequestContract } from '@behalf/ports';
import { type PolicyService, startPolicyService } from './policy-service.js';

const evaluation: Evaluation = {
  subject: { type: 'user', id: 'bob' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'echo', properties: { server: 'everything' } },
};

function ask(service: PolicyService, headers: Record<string, string> = {}, path = '/access/v1/evaluation') {
  return fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(evaluation),
  });
}

describe('callers over HTTP', () => {
  let service: PolicyService;
  beforeAll(async () => {
    service = await startPolicyService({ publicUrl: 'https://behalf.example/pdp' });
  });
  afterAll(() => service.close());
  const bearer = async (claims: Record<string, unknown>) => ({
    authorization: `Bearer ${await service.sign(claims)}`,
  });

  it('answers a caller with a token for this service, and records who it was', async () => {
    const response = await ask(service, await bearer({ aud: service.publicUrl }));
    expect(await response.json()).toMatchObject({ decision: true });
    expect(service.audit.records.at(-1)).toMatchObject({ client: 'gw', person: 'bob' });
  });

  it('refuses a caller without a token, on this machine, too', async () => {
    const response = await ask(service);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer scope="policy:evaluate", resource_metadata="https://behalf.example/.well-known/oauth-protected-resource/pdp"',
    );
  });

  it.each([
    ['for another resource', { aud: 'https://other.example' }, 401, 'invalid_token'],
    [
      'without the scope',
      { aud: 'https://behalf.example/pdp', scope: 'mcp:tools' },
      403,
      'insufficient_scope',
    ],
    [
      'of another issuer',
      { aud: 'https://behalf.example/pdp', iss: 'https://evil.example' },
      401,
      'invalid_token',
    ],
  ])('refuses a token %s', async (_, claims, status, error) => {
    const response = await ask(service, await bearer(claims));
    expect(response.status).toBe(status);
    expect(response.headers.get('www-authenticate')).toContain(`error="${error}"`);
    expect(await response.json()).toEqual({ error: { status, message: expect.any(String) } });
  });

  it('refuses a token in the query', async () => {
    const token = await service.sign({ aud: service.publicUrl });
    expect((await ask(service, {}, `/access/v1/evaluation?access_token=${token}`)).status).toBe(400);
  });

  it('is served below the path of its public URL, too', async () => {
    const headers = await bearer({ aud: service.publicUrl });
    expect((await ask(service, headers, '/pdp/access/v1/evaluation')).status).toBe(200);
    const metadata = await fetch(`${service.url}/.well-known/oauth-protected-resource/pdp`);
    expect(await metadata.json()).toMatchObject({
      resource: service.publicUrl,
      scopes_supported: ['policy:evaluate'],
    });
  });
});

describe('callers on this machine, where they are allowed', () => {
  let service: PolicyService;
  beforeAll(async () => {
    service = await startPolicyService({ allowUnauthenticatedLoopback: true });
  });
  afterAll(() => service.close());

  it('answers a program', async () => {
    expect((await ask(service)).status).toBe(200);
  });

  it.each([
    [{ origin: 'http://evil.example' }],
    [{ 'x-forwarded-for': '10.0.0.1' }],
    [{ authorization: 'Basic eDp5' }],
    [{ authorization: 'Bearer x.y.z' }],
  ])('refuses who speaks for others, or presents what is no token: %j', async (headers) => {
    expect((await ask(service, headers)).status).toBe(401);
  });
});

describe('callers on the bus', () => {
  let service: PolicyService;
  beforeAll(async () => {
    service = await startPolicyService();
  });
  afterAll(() => service.close());
  const options = { timeoutMs: 5_000 };

  it('gives the same decisions', async () => {
    expect(await service.bus.request(evaluatePolicy, evaluation, options)).toMatchObject({ decision: true });
    const batch = { evaluations: [evaluation, { ...evaluation, action: { name: 'nope' } }] };
    expect(await service.bus.request(evaluatePolicyBatch, batch, options)).toMatchObject({
      evaluations: [{ decision: true }, { decision: false }],
    });
  });

  it.each<[string, RequestContract<never, unknown>]>([
    ['evaluation', evaluatePolicy as RequestContract<never, unknown>],
    ['batch', evaluatePolicyBatch as RequestContract<never, unknown>],
  ])('refuses a malformed %s, and an empty one', async (_, contract) => {
    const recorded = service.audit.records.length;
    for (const message of [undefined, 'x', [], { subject: 'bob' }]) {
      await expect(service.bus.request(contract, message as never, options)).rejects.toMatchObject({
        reason: 'malformed_request',
      });
    }
    expect(service.audit.records).toHaveLength(recorded);
  });

  it('refuses a batch that is too long', async () => {
    const batch = { evaluations: Array.from({ length: 1001 }, () => evaluation) };
    await expect(service.bus.request(evaluatePolicyBatch, batch, options)).rejects.toMatchObject({
      reason: 'refused',
      refusal: { error: 'invalid_request' },
    });
  });
});
