import { type JSONWebKeySet, createLocalJWKSet, jwtVerify } from 'jose';
import { type PolicyService, startPolicyService } from './policy-service.js';

const writeFile = {
  subject: { type: 'user', id: 'alice', properties: { groups: ['eng'] } },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'write_file', properties: { server: 'files' } },
  context: { actors: [{ sub: 'demo-agent' }], arguments: { path: '/secret-plan.txt' } },
};
const getEnv = {
  ...writeFile,
  resource: { type: 'tool', id: 'get-env', properties: { server: 'everything' } },
};

describe('access evaluation over HTTP', () => {
  let service: PolicyService;
  beforeAll(async () => {
    service = await startPolicyService({ allowUnauthenticatedLoopback: true });
  });
  afterAll(() => service.close());
  beforeEach(() => {
    service.audit.failing = false;
    service.audit.records.length = 0;
  });

  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${service.url}/access/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };

  it('permits, with id, reason, policies and version', async () => {
    const { status, body, headers } = await post('evaluation', writeFile);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      decision: true,
      context: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        reason: 'permitted',
        policies: ['eng-writes-files'],
        errors: [],
        policy_version: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  });

  it('denies with 200, because the call went well', async () => {
    const { status, body } = await post('evaluation', getEnv);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      decision: false,
      context: { reason: 'forbidden', policies: ['nobody-reads-the-environment'] },
    });
  });

  it('ignores members it does not know', async () => {
    const { body } = await post('evaluation', {
      ...writeFile,
      obligations: [1],
      subject: { ...writeFile.subject, extra: true },
    });
    expect(body).toMatchObject({ decision: true });
  });

  it('echoes the request id, also with an error', async () => {
    const headers = { 'x-request-id': 'r-1' };
    expect((await post('evaluation', writeFile, headers)).headers.get('x-request-id')).toBe('r-1');
    expect((await post('evaluation', '{', headers)).headers.get('x-request-id')).toBe('r-1');
    expect((await post('evaluation', writeFile)).headers.get('x-request-id')).toBeNull();
  });

  it.each<[string, unknown, Record<string, string>, number]>([
    ['another content type', writeFile, { 'content-type': 'text/plain' }, 400],
    ['an empty body', '', {}, 400],
    ['a body that is not JSON', '{', {}, 400],
    ['a repeated member', '{"subject":{},"subject":{}}', {}, 400],
    ['a body that is not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), {}, 400],
    ['a list', [], {}, 400],
    ['a subject that is a text', { ...writeFile, subject: 'alice' }, {}, 400],
    ['no resource', { ...writeFile, resource: undefined }, {}, 400],
    ['an empty id', { ...writeFile, subject: { type: 'user', id: '' } }, {}, 400],
    ['an id that is a number', { ...writeFile, subject: { type: 'user', id: 1 } }, {}, 400],
    ['context that is a text', { ...writeFile, context: 'x' }, {}, 400],
    ['deep nesting', `{"context":{"a":${'['.repeat(100)}${']'.repeat(100)}}}`, {}, 400],
    ['a number that no double holds', '{"context":{"a":9007199254740993}}', {}, 400],
    ['a body that is too large', `{"context":"${'a'.repeat(1024 * 1024)}"}`, {}, 413],
  ])('refuses %s, deciding nothing', async (_, body, headers, status) => {
    const answer = await post('evaluation', body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error: { status, message: expect.any(String) } });
    expect(service.audit.records).toEqual([]);
  });

  it('answers many in their order, with an error where an item is malformed', async () => {
    const { resource: _, ...defaults } = writeFile;
    const { status, body } = await post('evaluations', {
      ...defaults,
      evaluations: [{ resource: writeFile.resource }, { resource: getEnv.resource }, { resource: 7 }, {}],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      evaluations: [
        { decision: true },
        { decision: false, context: { reason: 'forbidden' } },
        { decision: false, context: { error: { status: 400 } } },
        { decision: false, context: { error: { status: 400 } } },
      ],
    });
  });

  it.each([
    ['deny_on_first_deny', [true, false]],
    ['permit_on_first_permit', [true]],
  ])('stops as %s says', async (evaluations_semantic, decisions) => {
    const evaluations = [writeFile, getEnv, writeFile];
    const { body } = await post('evaluations', { evaluations, options: { evaluations_semantic } });
    expect(body.evaluations.map((one: { decision: boolean }) => one.decision)).toEqual(decisions);
  });

  it.each([[undefined], [[]]])('answers a batch of %j as one evaluation', async (evaluations) => {
    expect((await post('evaluations', { ...writeFile, evaluations })).body).toMatchObject({ decision: true });
    expect((await post('evaluations', { evaluations })).status).toBe(400);
  });

  it.each([
    [{ evaluations: Array.from({ length: 1001 }, () => ({})) }],
    [{ evaluations: [writeFile], options: { evaluations_semantic: 'whatever' } }],
    [{ evaluations: {} }],
  ])('refuses a batch as a whole: %#', async (body) => {
    expect((await post('evaluations', body)).status).toBe(400);
    expect(service.audit.records).toEqual([]);
  });

  it('records every decision, without arguments, before it answers', async () => {
    const { body } = await post('evaluation', writeFile);
    await post('evaluation', getEnv);
    expect(service.audit.records).toMatchObject([
      {
        type: 'decision',
        outcome: 'allowed',
        person: 'alice',
        actors: ['demo-agent'],
        decisionId: body.context.id,
        details: {
          action: 'tools/call',
          resource: 'write_file',
          server: 'files',
          policies: ['eng-writes-files'],
          errors: [],
          policyVersion: body.context.policy_version,
          tookMicros: expect.any(Number),
        },
      },
      { outcome: 'refused', details: { reason: 'forbidden', policies: [expect.any(String)] } },
    ]);
    expect(service.audit.records[0]?.occurredAtMs).toBeLessThanOrEqual(Date.now());
    expect(JSON.stringify(service.audit.records)).not.toContain('secret-plan');
  });

  it('records actors of other issuers with their issuer: a namesake elsewhere is somebody else', async () => {
    const named = { sub: 'demo-agent' };
    const actors = [{ ...named, iss: 'https://idp.example' }, { ...named, iss: service.issuer }, named];
    await post('evaluation', { ...writeFile, context: { ...writeFile.context, actors } });
    await post('evaluation', {
      ...writeFile,
      context: { actors: [{ ...named, iss: ['https://idp.example'] }, named, { sub: 7 }, 'x'] },
    });
    expect(service.audit.records).toMatchObject([
      { actors: ['https://idp.example#demo-agent', 'demo-agent', 'demo-agent'] },
      { outcome: 'refused', actors: ['demo-agent'] },
    ]);
  });

  it('denies what it cannot record', async () => {
    service.audit.failing = true;
    expect((await post('evaluation', writeFile)).body).toMatchObject({
      decision: false,
      context: { reason: 'policy_error' },
    });
    const batch = (await post('evaluations', { evaluations: [writeFile, writeFile] })).body;
    expect(batch.evaluations.map((one: { decision: boolean }) => one.decision)).toEqual([false, false]);
  });

  it('says where it can be asked', async () => {
    const response = await fetch(`${service.url}/.well-known/authzen-configuration`);
    const { signed_metadata, ...metadata } = (await response.json()) as Record<string, unknown>;
    expect(metadata).toEqual({
      policy_decision_point: 'https://pdp.example',
      access_evaluation_endpoint: 'https://pdp.example/access/v1/evaluation',
      access_evaluations_endpoint: 'https://pdp.example/access/v1/evaluations',
      search_subject_endpoint: 'https://pdp.example/access/v1/search/subject',
      search_resource_endpoint: 'https://pdp.example/access/v1/search/resource',
      search_action_endpoint: 'https://pdp.example/access/v1/search/action',
      access_request_endpoint: 'https://pdp.example/access/v1/access-request',
      supported_obligations: ['step-up', 'approval', 'tool-approval', 'redact'],
    });
    const keys = await (await fetch(`${service.url}/.well-known/jwks.json`)).json();
    const { payload } = await jwtVerify(String(signed_metadata), createLocalJWKSet(keys as JSONWebKeySet), {
      issuer: 'https://pdp.example',
    });
    expect(payload).toMatchObject(metadata);
    expect((await fetch(`${service.url}/.well-known/authzen-configuration/other`)).status).toBe(404);
  });
});
