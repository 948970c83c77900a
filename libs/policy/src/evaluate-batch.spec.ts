import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { TooManyEvaluations, type UncheckedEvaluations, evaluateBatch } from './evaluate-batch.js';

const subject = { type: 'user', id: 'alice' };
const action = { name: 'tools/call' };
const tool = (id: string) => ({ resource: { type: 'tool', id } });

/** Permits tools whose name starts with `ok`, and remembers what it was asked. */
function decider() {
  const asked: Evaluation[] = [];
  const decide = async (evaluation: Evaluation): Promise<EvaluationDecision> => {
    asked.push(evaluation);
    return { decision: evaluation.resource.id.startsWith('ok') };
  };
  const run = async (request: UncheckedEvaluations, maxEvaluations = 10) =>
    (await evaluateBatch(request, decide, { maxEvaluations })).evaluations.map((one) => one.decision);
  return { asked, decide, run };
}

describe('evaluateBatch', () => {
  it.each([
    [undefined, ['ok1', 'no1', 'ok2'], [true, false, true]],
    ['execute_all' as const, ['no1', 'ok1'], [false, true]],
    ['deny_on_first_deny' as const, ['ok1', 'no1', 'ok2'], [true, false]],
    ['permit_on_first_permit' as const, ['no1', 'ok1', 'no2'], [false, true]],
  ])('with %s answers %j by %j', async (evaluations_semantic, names, answers) => {
    const { run } = decider();
    const options = evaluations_semantic && { evaluations_semantic };
    expect(await run({ subject, action, evaluations: names.map(tool), options })).toEqual(answers);
  });

  it('replaces a default whole, and merges nothing', async () => {
    const { asked, run } = decider();
    await run({
      subject: { ...subject, properties: { groups: ['eng'] } },
      action,
      context: { scope: 'a' },
      evaluations: [{ subject: { type: 'user', id: 'bob' }, context: { aud: 'b' }, ...tool('ok') }],
    });
    expect(asked).toEqual([
      { subject: { type: 'user', id: 'bob' }, action, context: { aud: 'b' }, ...tool('ok') },
    ]);
  });

  it('gives two items with one id but other properties their own answers', async () => {
    const decide = async (evaluation: Evaluation) => ({
      decision: evaluation.resource.properties?.['open'] === true,
    });
    const item = (open: boolean) => ({ resource: { type: 'tool', id: 'x', properties: { open } } });
    const answer = await evaluateBatch({ subject, action, evaluations: [item(true), item(false)] }, decide, {
      maxEvaluations: 2,
    });
    expect(answer.evaluations.map((one) => one.decision)).toEqual([true, false]);
  });

  it.each([['nothing'], [7], [null], [{ subject: 'alice' }], [{}], [[]]])(
    'answers the malformed item %j alone with an error',
    async (item) => {
      const { decide } = decider();
      const answer = await evaluateBatch({ subject, action, evaluations: [item, tool('ok')] }, decide, {
        maxEvaluations: 2,
      });
      expect(answer.evaluations).toMatchObject([
        { decision: false, context: { reason: 'invalid_request', error: { status: 400 } } },
        { decision: true },
      ]);
    },
  );

  it.each([[undefined], [[]]])(
    'takes the request itself as the item when evaluations is %j',
    async (evaluations) => {
      const { run } = decider();
      expect(await run({ subject, action, ...tool('ok'), evaluations })).toEqual([true]);
    },
  );

  it('decides nothing of a batch that is too long', async () => {
    const { asked, run } = decider();
    await expect(run({ subject, action, evaluations: [tool('ok'), tool('ok')] }, 1)).rejects.toThrow(
      TooManyEvaluations,
    );
    expect(asked).toEqual([]);
  });
});
