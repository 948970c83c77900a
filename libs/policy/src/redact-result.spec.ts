import { redactResult } from './redact-result.js';

describe('redactResult', () => {
  const person = { name: 'Ann', Email: 'a@x', owner: { phone: '1' }, phone: '2' };

  it('removes fields by name, and by where they stand', () => {
    expect(redactResult({ structuredContent: { people: [person] } }, ['email', 'owner.phone'])).toEqual({
      structuredContent: {
        people: [{ name: 'Ann', Email: '[redacted]', owner: { phone: '[redacted]' }, phone: '2' }],
      },
    });
  });

  it.each<[object, object]>([
    [
      { type: 'text', text: JSON.stringify(person) },
      { type: 'text', text: expect.not.stringContaining('a@x') },
    ],
    [
      { type: 'text', text: 'write to a@x' },
      { type: 'text', text: '[redacted]' },
    ],
    [
      { type: 'text', text: '"a@x"' },
      { type: 'text', text: '[redacted]' },
    ],
    [
      { type: 'image', data: 'AAAA' },
      { type: 'image', data: '' },
    ],
    [
      { type: 'resource', resource: { uri: 'x', text: 'a@x', blob: 'AA' } },
      { type: 'resource', resource: { uri: 'x', text: '[redacted]', blob: '' } },
    ],
  ])('withholds what it cannot read: %j', (block, redacted) => {
    expect(redactResult({ content: [block] }, ['email'])).toEqual({ content: [redacted] });
  });

  it('reaches prompts and resources, too', () => {
    expect(
      redactResult({ messages: [{ role: 'user', content: { type: 'text', text: 'a@x' } }] }, ['email']),
    ).toEqual({ messages: [{ role: 'user', content: { type: 'text', text: '[redacted]' } }] });
    expect(redactResult({ contents: [{ uri: 'x', text: 'a@x' }] }, ['email'])).toEqual({
      contents: [{ uri: 'x', text: '[redacted]' }],
    });
  });

  it('changes nothing without fields', () => {
    const result = { content: [{ type: 'text', text: 'hello' }] };
    expect(redactResult(result, [])).toBe(result);
  });
});
