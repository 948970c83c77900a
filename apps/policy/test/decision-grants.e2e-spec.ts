import { MemoryOneTimeStore } from '@behalf/adapter-memory';
import { type Evaluation, evaluatePolicy, listDecisionGrantKeys } from '@behalf/contracts';
import { verifyDecisionGrant } from '@behalf/decision-grant';
import { systemClock } from '@behalf/ports';
import { createLocalJWKSet } from 'jose';
import { type PolicyService, startPolicyService } from './policy-service.js';

describe('decision grants of the policy service', () => {
  let service: PolicyService;
  beforeAll(async () => {
    service = await startPolicyService({ allowUnauthenticatedLoopback: true });
  });
  afterAll(() => service.close());

  const question = (
    actor = 'demo-gateway',
    properties: Record<string, string> = { provider: 'acme' },
  ): Evaluation => ({
    subject: { type: 'user', id: 'alice', properties: { groups: [] } },
    action: { name: 'exchange' },
    resource: { type: 'audience', id: 'https://api.acme.example', properties },
    context: { actors: [{ sub: actor }], client_id: actor, scope: 'read write', aud: 'x' },
  });
  const ask = (evaluation: Evaluation) =>
    service.bus.request(evaluatePolicy, evaluation, { timeoutMs: 5_000 });

  it('say what was decided, and nothing that was not', async () => {
    const { decision, context } = await ask(question());
    expect(decision).toBe(true);
    const keys = await service.bus.request(listDecisionGrantKeys, {}, { timeoutMs: 5_000 });
    const grant = await verifyDecisionGrant(context?.decision_grant ?? '', {
      issuer: service.publicUrl,
      audience: 'http://localhost:4001',
      keys: createLocalJWKSet(keys),
      oneTime: new MemoryOneTimeStore(systemClock),
      nowMs: Date.now(),
    });
    expect(grant).toMatchObject({
      sub: 'alice',
      act: { sub: 'demo-gateway' },
      client_id: 'demo-gateway',
      resource: 'https://api.acme.example',
      scope: 'read write',
      decision_id: context?.id,
    });
    expect(JSON.stringify(keys)).not.toContain('"d":');
  });

  it('are given for no denial, and for no resource of our own', async () => {
    const denied = await ask(question('a-stranger'));
    expect(denied).toMatchObject({ decision: false });
    expect(denied.context?.decision_grant).toBeUndefined();
    expect((await ask(question('demo-gateway', {}))).context?.decision_grant).toBeUndefined();
  });

  it('are given to services on the bus only, and stand in no audit record', async () => {
    const answer = await fetch(`${service.url}/access/v1/evaluation`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(question()),
    });
    const body = (await answer.json()) as { decision: boolean };
    expect(body.decision).toBe(true);
    expect(JSON.stringify(body)).not.toContain('decision_grant');
    expect(JSON.stringify(service.audit.records)).not.toContain('decision_grant');
  });
});
