import { readPolicyJson } from './read-policy-json.js';

const bodyOf = (expression: string) => {
  const read = readPolicyJson(`permit(principal, action, resource) when { ${expression} };`);
  return 'json' in read ? read.json.conditions[0]?.body : read.errors[0]?.message;
};

describe('readPolicyJson', () => {
  it.each<[string, unknown]>([
    ['9007199254740993', { Value: 9007199254740993n }],
    ['-9223372036854775808', { Value: -(2n ** 63n) }],
    ['-(-9223372036854775808)', { neg: { arg: { Value: -(2n ** 63n) } } }],
    ['42', { Value: 42 }],
    ['"9007199254740993"', { Value: '9007199254740993' }],
    ['context.a9007199254740993', { '.': { left: { Var: 'context' }, attr: 'a9007199254740993' } }],
  ])('keeps %s as it is', (expression, body) => {
    expect(bodyOf(expression)).toEqual(body);
  });

  it('takes no text of the policy for its own mark', () => {
    expect(bodyOf('[9007199254740993, ip("exact integer 1")]')).toEqual({
      Set: [{ Value: 9007199254740993n }, { ip: [{ Value: 'exact integer 1' }] }],
    });
  });

  it('leaves integers that Cedar refuses to Cedar', () => {
    expect(bodyOf('9223372036854775808')).toContain('too large');
  });
});
