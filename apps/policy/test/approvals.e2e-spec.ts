import { type Evaluation, evaluatePolicy, readAccessRequest, requestAccess } from '@behalf/contracts';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PolicySource } from '../src/policy-source.js';
import { type PolicyService, startPolicyService } from './policy-service.js';

const call = (more: object = {}): Evaluation => ({
  subject: { type: 'user', id: 'alice', properties: { groups: ['eng'] } },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'delete_file', properties: { server: 'files' } },
  context: { actors: [{ sub: 'demo-agent' }], arguments: { path: '/secret-plan' }, ...more },
});

let service: PolicyService;
beforeAll(async () => {
  service = await startPolicyService({ replicas: 1 });
  await appendFile(
    join(service.folder, 'files.cedar'),
    `@id("eng-deletes-with-approval") @approval("human")
     permit(principal in Team::"eng", action == Action::"tools/call", resource == Tool::"files/delete_file");`,
  );
  await service.app.get(PolicySource).check();
});
afterAll(() => service.close());

const http = async (
  method: string,
  path: string,
  claims: Record<string, unknown>,
  body?: object,
  headers: Record<string, string> = {},
) => {
  const token = await service.sign({ aud: service.publicUrl, ...claims });
  const response = await fetch(`${service.url}/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
};
const gateway = { scope: 'policy:evaluate' };
const alice = { sub: 'alice', client_id: 'browser', scope: 'policy:approve' };
const decide = (evaluation: Evaluation) =>
  service.bus.request(evaluatePolicy, evaluation, { timeoutMs: 5_000 });
const submit = async (evaluation = call(), headers?: Record<string, string>, claims: object = gateway) => {
  const { context } = await decide(evaluation);
  const denial = { binding_token: context?.access_request?.binding_token ?? 'none' };
  return http('POST', 'access/v1/access-request', { ...claims }, { evaluation, denial }, headers);
};

it('goes from the denial to one call, and no further', async () => {
  expect(await decide(call())).toMatchObject({
    decision: false,
    context: {
      reason: 'approval_required',
      access_request: { endpoint: 'https://pdp.example/access/v1/access-request' },
    },
  });
  const { status, body } = await submit();
  const { id } = body.task;
  expect([status, body.task.status]).toEqual([201, 'pending']);
  expect((await submit()).body.task.id).toBe(id);

  expect((await http('GET', `approvals/${id}`, alice)).body).toMatchObject({
    request: { person: 'alice', policies: ['eng-deletes-with-approval'] },
    evaluation: { context: { arguments: { path: '/secret-plan' } } },
  });
  expect((await http('GET', 'approvals', alice)).body.requests).toMatchObject([{ id }]);
  expect((await http('POST', `approvals/${id}`, alice, { approve: true })).body.task.status).toBe('approved');
  expect((await http('GET', `access/v1/access-request/${id}`, gateway)).body.task.status).toBe('approved');

  const approval = { approval: { id } };
  expect(await decide(call({ ...approval, arguments: { path: '/other' } }))).toMatchObject({
    decision: false,
  });
  const answers = await Promise.all([decide(call(approval)), decide(call(approval)), decide(call(approval))]);
  expect(answers.filter(({ decision }) => decision)).toHaveLength(1);
});

it.each<[string, Record<string, unknown>, number]>([
  ['another person', { ...alice, sub: 'bob' }, 403],
  ['an agent on behalf of the person', { ...alice, act: { sub: 'demo-agent' } }, 403],
  ['a client for itself', { sub: 'robot', client_id: 'robot', scope: 'policy:admin' }, 403],
  ['the enforcement point', gateway, 403],
  ['a token for somebody else', { ...alice, aud: 'https://other.example' }, 401],
])('is not approved by %s', async (_, claims, status) => {
  const evaluation = call({ arguments: { path: '/other' } });
  const { id } = (await submit(evaluation)).body.task;
  expect((await http('POST', `approvals/${id}`, claims, { approve: true })).status).toBe(status);
  expect(await decide({ ...evaluation, context: { ...evaluation.context, approval: { id } } })).toMatchObject(
    {
      decision: false,
    },
  );
});

it('is not approved by who has the name of an actor of another issuer, and shows that issuer', async () => {
  const actors = [{ sub: 'demo-gateway' }, { sub: 'robot', iss: 'https://idp.example' }];
  const { id } = (await submit(call({ actors, arguments: { path: '/fifth' } }))).body.task;
  expect((await http('GET', `approvals/${id}`, alice)).body.request.actors).toEqual([
    'demo-gateway',
    'https://idp.example#robot',
  ]);
  for (const claims of [
    { ...alice, client_id: 'robot' },
    { ...alice, client_id: 'https://idp.example#robot' },
    { ...alice, sub: 'robot', scope: 'policy:approve policy:admin' },
  ])
    expect((await http('POST', `approvals/${id}`, claims, { approve: true })).status).toBe(403);
  expect((await http('POST', `approvals/${id}`, alice, { approve: true })).status).toBe(200);
});

it('is asked for on the bus, too', async () => {
  const evaluation = call({ arguments: { path: '/fourth' } });
  const binding_token = (await decide(evaluation)).context?.access_request?.binding_token ?? '';
  const options = { timeoutMs: 5_000 };
  const submission = { evaluation, denial: { binding_token }, caller: 'gateway' };
  const { task } = await service.bus.request(requestAccess, submission, options);
  const read = { id: task.id, caller: 'gateway' };
  expect(await service.bus.request(readAccessRequest, read, options)).toEqual({ task });
  for (const refused of [
    { ...submission, denial: { binding_token: 'x' } },
    { ...submission, caller: '' },
  ])
    await expect(service.bus.request(requestAccess, refused, options)).rejects.toThrow();
  await expect(service.bus.request(readAccessRequest, { ...read, caller: 'x' }, options)).rejects.toThrow();
});

it('shows requests to nobody else', async () => {
  const { id } = (await submit(call({ arguments: { path: '/third' } }))).body.task;
  expect((await http('GET', `approvals/${id}`, { ...alice, sub: 'bob' })).status).toBe(404);
  expect((await http('GET', `approvals/${id}`, { ...alice, act: { sub: 'agent' } })).status).toBe(404);
  expect((await http('GET', `access/v1/access-request/${id}`, { ...gateway, client_id: 'x' })).status).toBe(
    404,
  );
  expect((await http('GET', 'approvals', { ...alice, sub: 'bob' })).body.requests).toEqual([]);
});

it.each<[string, Evaluation, string]>([
  [
    'what is permitted',
    { ...call(), resource: { type: 'tool', id: 'echo', properties: { server: 'everything' } } },
    'x',
  ],
  [
    'what is forbidden',
    { ...call(), resource: { type: 'tool', id: 'get-env', properties: { server: 'everything' } } },
    'x',
  ],
  ['another call than was denied', call(), 'sha256:other'],
])('takes no request for %s', async (_, evaluation, binding_token) => {
  const answer = await http('POST', 'access/v1/access-request', gateway, {
    evaluation,
    denial: { binding_token },
  });
  expect(answer.status).toBe(400);
});

it('lets no agent bury a person under requests', async () => {
  const statuses: number[] = [];
  for (let n = 0; n < 60; n++) {
    const of = { type: 'user', id: 'buried', properties: { groups: ['eng'] } };
    const asked = { ...call({ arguments: { n } }), subject: of };
    statuses.push((await submit(asked)).status);
  }
  expect(statuses.filter((status) => status === 201)).toHaveLength(50);
  expect(new Set(statuses.slice(50))).toEqual(new Set([429]));
});

it('leaves a record of whoever tried and may not', async () => {
  const { id } = (await submit(call({ arguments: { path: '/tried' } }))).body.task;
  await http('POST', `approvals/${id}`, { ...alice, act: { sub: 'demo-agent' } }, { approve: true });
  expect(service.audit.records.at(-1)).toMatchObject({
    type: 'approval-attempt',
    outcome: 'refused',
    person: 'alice',
    details: { accessRequest: id, reason: 'not_a_person', approve: true },
  });
});

it.each([
  ['approved', true],
  ['denied', false],
])('finds the request that was %s, until its time is over', async (status, approve) => {
  const evaluation = call({ arguments: { path: `/decided/${status}` } });
  const { id } = (await submit(evaluation)).body.task;
  await http('POST', `approvals/${id}`, alice, { approve });
  expect((await submit(evaluation)).body.task).toMatchObject({ id, status });
});

describe('an Idempotency-Key', () => {
  const about = (path: string) => call({ arguments: { path } });
  const key = (value: string) => ({ 'idempotency-key': value });

  it('finds the request that it led to, also when it has been used up', async () => {
    const { body, status } = await submit(about('/k1'), key('one'));
    const { id } = body.task;
    expect(status).toBe(201);
    await http('POST', `approvals/${id}`, alice, { approve: true });
    expect(await decide(call({ arguments: { path: '/k1' }, approval: { id } }))).toMatchObject({
      decision: true,
    });
    expect((await submit(about('/k1'), key('one'))).body.task.id).toBe(id);
    expect((await submit(about('/k1'))).body.task.id).not.toBe(id);
  });

  it('is for one call, and for one caller', async () => {
    const { id } = (await submit(about('/k2'), key('two'))).body.task;
    expect((await submit(about('/k3'), key('two'))).status).toBe(422);
    const other = { ...gateway, sub: 'other-gateway', client_id: 'other-gateway' };
    expect((await submit(about('/k2'), key('two'), other)).body.task.id).not.toBe(id);
  });

  it('makes one request, however many come at once', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => submit(about('/k4'), key('four'))));
    expect(new Set(answers.map(({ body }) => body.task.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  it.each(['', 'x'.repeat(256)])('is refused when it is malformed: %#', async (value) => {
    expect((await submit(about('/k5'), key(value))).status).toBe(400);
  });
});
