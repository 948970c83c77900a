import { RecordsAhead } from '@behalf/audit';
import { type Evaluation, type PolicyQuestion, evaluatePolicy } from '@behalf/contracts';
import { type PolicyService, startPolicyService } from './policy-service.js';

describe('decisions for who waits for their records', () => {
  let service: PolicyService;
  let ahead: RecordsAhead;
  beforeEach(async () => {
    service = await startPolicyService({ allowUnauthenticatedLoopback: true });
    ahead = RecordsAhead.of(service.audit);
  });
  afterEach(() => service.close());

  const question = (actor = 'demo-gateway', properties: Record<string, string> = {}): Evaluation => ({
    subject: { type: 'user', id: 'alice', properties: { groups: [] } },
    action: { name: 'exchange' },
    resource: { type: 'audience', id: 'http://localhost:4010/mcp', properties },
    context: { actors: [{ sub: actor }], client_id: actor, scope: 'mcp:tools', aud: 'x' },
  });
  const ask = (asked: PolicyQuestion) => service.bus.request(evaluatePolicy, asked, { timeoutMs: 10_000 });

  it('permit while the record is being written, to who shares the log', async () => {
    const held = service.audit.hold();
    const { decision, context, recording } = await ask({ ...question(), recordsAhead: ahead.id });
    expect(decision).toBe(true);
    await held.reached(1);
    expect(service.audit.records).toEqual([]);
    held.release();
    await ahead.settled(recording!);
    expect(service.audit.records).toMatchObject([{ type: 'decision', decisionId: context?.id }]);
  });

  it('tell who shares the log of a record that could not be written', async () => {
    service.audit.failing = true;
    const { decision, recording } = await ask({ ...question(), recordsAhead: ahead.id });
    expect(decision).toBe(true);
    await expect(ahead.settled(recording!)).rejects.toThrow('disk full');
  });

  it.each<[string, () => PolicyQuestion]>([
    ['a denial', () => ({ ...question('a-stranger'), recordsAhead: ahead.id })],
    [
      'what a grant is signed for',
      () => ({ ...question('demo-gateway', { provider: 'acme' }), recordsAhead: ahead.id }),
    ],
    ['a permission for who names another log', () => ({ ...question(), recordsAhead: 'a guess' })],
    ['a permission for who names none', () => question()],
  ])('record %s before it is answered', async (_title, asked) => {
    const held = service.audit.hold();
    let isAnswered = false;
    const answer = ask(asked()).finally(() => (isAnswered = true));
    await held.reached(1);
    await new Promise(setImmediate);
    expect(isAnswered).toBe(false);
    held.release();
    expect(await answer).not.toHaveProperty('recording');
    expect(service.audit.records).toHaveLength(1);
  });

  it('are not for callers over HTTP', async () => {
    const held = service.audit.hold();
    let isAnswered = false;
    const answering = fetch(`${service.url}/access/v1/evaluation`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...question(), recordsAhead: ahead.id }),
    }).finally(() => (isAnswered = true));
    await held.reached(1);
    await new Promise(setImmediate);
    expect(isAnswered).toBe(false);
    held.release();
    expect(await (await answering).json()).not.toHaveProperty('recording');
  });
});
