import type { AuditRecord } from '@behalf/audit';
import { buildChain, recordsOfChain } from './build-chain.js';
import { describeChain } from './describe-chain.js';

const record = (changes: Partial<AuditRecord>): AuditRecord => ({
  type: 'exchange',
  outcome: 'allowed',
  occurredAtMs: 1_000,
  person: 'alice',
  ...changes,
});

describe('the records of a chain', () => {
  it('are those of its txn or trace, and those that share a trace or a decision with them', () => {
    const decision = record({ type: 'decision', traceId: 't1' });
    const exchange = record({ traceId: 't1', decisionId: 'd1', details: { txn: 'x' } });
    const decided = record({ type: 'decision', decisionId: 'd1' });
    const other = record({ traceId: 't2', decisionId: 'd2', details: { txn: 'y' } });
    const unrelated = record({ type: 'sign-in' });
    const all = [decision, exchange, decided, other, unrelated];
    expect(recordsOfChain(all, 'x')).toEqual([decision, exchange, decided]);
    expect(recordsOfChain(all, 't1')).toEqual([decision, exchange, decided]);
    expect(recordsOfChain(all, '')).toEqual([]);
  });
});

describe('a chain', () => {
  it('hangs each actor below who acted before it', () => {
    const chain = buildChain([
      record({
        type: 'decision',
        details: { action: 'call', resource: 'read', policies: ['p1'], reason: 'permitted' },
      }),
      record({ actors: ['gateway'], details: { audience: 'https://a', scope: 'r w', tookMicros: 1500 } }),
      record({
        actors: ['agent', 'gateway'],
        outcome: 'refused',
        details: { audience: 'https://b', reason: 'scope' },
      }),
    ]);
    expect(describeChain(chain).split('\n')).toEqual([
      'alice',
      '├─ +0.000 s  decision allowed  call read  by permitted: p1',
      '└─ gateway',
      '   ├─ +0.000 s  exchange allowed  for https://a  [r w]  in 1.5 ms',
      '   └─ agent',
      '      └─ +0.000 s  exchange refused  for https://b  by scope',
    ]);
  });

  it('keeps people apart, and lets no name move the cursor of who looks', () => {
    const chain = buildChain([record({}), record({ person: 'bob\u001B[2J\n└─ root' })]);
    expect(chain.map(({ name }) => name)).toEqual(['alice', 'bob\u001B[2J\n└─ root']);
    expect(describeChain(chain)).not.toContain('\u001B');
    expect(describeChain(chain).split('\n')).toHaveLength(4);
  });
});
