import { CedarWasmParser } from './cedar-wasm-parser.js';

const bundle = (text: string) => ({
  version: 'v',
  schema: 'entity User; action "a" appliesTo { principal: [User], resource: [User], context: { n?: Long } };',
  policies: [{ file: 'a.cedar', text }],
});

describe('CedarWasmParser', () => {
  const parser = new CedarWasmParser();

  it.each([
    ['permit(principal, action, resource);', {}],
    ['@id("p") @approval("human") permit(principal, action, resource);', { id: 'p', approval: 'human' }],
    ['@approval permit(principal, action, resource);', { approval: '' }],
    [
      '@approval("human") permit(principal, action, resource) when { context has n && context.n < 9007199254740993 };',
      { approval: 'human' },
    ],
    ['@doc("12345678901234567890") permit(principal, action, resource);', { doc: '12345678901234567890' }],
  ])('reads the annotations of %s', (text, annotations) => {
    for (const read of [parser.read(bundle(text)), parser.parse(bundle(text))]) {
      expect(read.problems).toEqual([]);
      expect(read.policies).toMatchObject([{ file: 'a.cedar', effect: 'permit', annotations }]);
      expect(Object.keys(read.policies[0]?.annotations ?? {})).toHaveLength(Object.keys(annotations).length);
    }
  });

  it('reports what cannot be parsed, and only parses when asked to', () => {
    expect(parser.read(bundle('permit(')).problems).toMatchObject([{ severity: 'error' }]);
    const mistyped = bundle('permit(principal, action, resource) when { principal.nope };');
    expect(parser.read(mistyped).problems).toEqual([]);
    expect(parser.parse(mistyped).problems).toMatchObject([{ severity: 'error' }]);
  });
});
