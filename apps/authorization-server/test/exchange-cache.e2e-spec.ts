import { policyChanged } from '@behalf/contracts';
import { agentId, TestAgents } from './test-agents.js';
import { basic, files } from './test-server.js';

describe('an exchange that was made before', () => {
  let agents: TestAgents;
  let decisions: number;
  let version: string;
  beforeEach(async () => {
    decisions = 0;
    version = 'v1';
    agents = await TestAgents.start({ replicas: 1 }, async () => {
      decisions += 1;
      return { decision: version === 'v1', context: { id: `d-${decisions}`, policy_version: version } };
    });
    await agents.create();
  });
  afterEach(() => agents.close());

  const exchange = async (subject: string): Promise<string> => {
    const { status, body } = await agents.exchange(subject);
    return status === 200 ? body.access_token : String(body.error);
  };

  it('is answered with the same token, and recorded each time', async () => {
    const subject = await agents.personToken();
    const first = await exchange(subject);
    expect(await exchange(subject)).toBe(first);
    expect(decisions).toBe(1);
    expect(agents.server.audit.slice(-2)).toMatchObject([
      { type: 'exchange', actors: [agentId], person: 'alice' },
      {
        type: 'exchange',
        actors: [agentId],
        person: 'alice',
        details: { cached: 'process', audience: files },
      },
    ]);
    expect(await exchange(await agents.personToken())).not.toBe(first);
  });

  it('is refused once the person’s token is revoked, the agent suspended, or policy changed', async () => {
    const subject = await agents.personToken();
    await exchange(subject);
    await agents.server.post('/revoke', { token: subject }, basic('web-app', 'web-app-secret'));
    expect(await exchange(subject)).toBe('invalid_request');

    const other = await agents.personToken();
    const before = await exchange(other);
    await agents.change('suspend');
    expect(await exchange(other)).toBe('invalid_client');
    await agents.change('resume');
    agents.server.clock.advanceSeconds(2);
    const after = await exchange(other);
    expect(after).not.toBe(before);
    expect(await exchange(other)).toBe(after);

    version = 'v2';
    const event = { id: 'e', type: policyChanged.type, sequence: 1, occurredAtMs: 0, data: { version } };
    await agents.server.bus.publish(policyChanged, event);
    // The event is on its way.
    let answer = after;
    for (let attempt = 0; attempt < 500 && answer === after; attempt++) answer = await exchange(other);
    expect(answer).toBe('invalid_target');
  });

  it('is made once for all who ask at the same time', async () => {
    const subject = await agents.personToken();
    const assertions = await Promise.all(Array.from({ length: 64 }, () => agents.assertion()));
    const tokens = await Promise.all(
      assertions.map(async (assertion) => (await agents.exchange(subject, {}, assertion)).body.access_token),
    );
    expect(new Set(tokens).size).toBe(1);
    expect(decisions).toBe(1);
    expect(agents.server.audit.filter(({ type }) => type === 'exchange')).toHaveLength(64);
  });
});

it('asks policy each time when decisions do not say which policies made them', async () => {
  let decisions = 0;
  const agents = await TestAgents.start({}, async () => ({ decision: (decisions += 1) > 0 }));
  try {
    await agents.create();
    const subject = await agents.personToken();
    await agents.exchange(subject);
    await agents.exchange(subject);
    expect(decisions).toBe(2);
  } finally {
    await agents.close();
  }
});
