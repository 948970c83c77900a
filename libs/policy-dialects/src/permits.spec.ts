import type { EvaluationDecision } from '@behalf/contracts';
import { isPlainPermit } from './is-plain-permit.js';
import { cedarAnswer, readCedarAuthorize } from './cedar-authorize.js';
import { opaResult, readOpaInput } from './opa-data.js';
import { readPorc } from './toolhive-porc.js';
import { UnmappableRequest } from './unmappable-request.js';

const obligation = { id: 'o', type: 'step-up' as const, properties: {} };
const obliged: EvaluationDecision = { decision: true, context: { id: 'd', obligations: [obligation] } };

describe('a permit with obligations', () => {
  it('is none for who never sees them', () => {
    expect(isPlainPermit(obliged)).toBe(false);
    const malformed = { decision: true, context: { obligations: 'x' } } as unknown as EvaluationDecision;
    expect(isPlainPermit(malformed)).toBe(false);
    expect(isPlainPermit({ decision: true, context: { obligations: [] } })).toBe(true);
    expect(isPlainPermit({ decision: true })).toBe(true);
    expect(isPlainPermit({ decision: false })).toBe(false);
    expect(cedarAnswer(obliged)).toMatchObject({ decision: 'Deny', decision_id: 'd' });
    expect(opaResult('/v1/data/mcp', obliged)).toEqual({
      decision_id: 'd',
      result: { allow: false, deny: ['obligations'] },
    });
    expect(opaResult('/v1/data/mcp/allow', obliged).result).toBe(false);
  });
});

describe('arguments that a gateway does not send', () => {
  it('count as unknown', () => {
    const porc = { principal: { sub: 'a' }, operation: 'mcp:tool:call', resource: 'mrn:mcp:s:tool:t:u' };
    expect(readPorc(porc)).toMatchObject({ resource: { id: 't:u' }, context: { arguments_unknown: true } });
    const withArgs = { ...porc, context: { mcp: { args: { a: 1 } } } };
    expect(readPorc(withArgs).context).toMatchObject({ arguments: { a: 1 } });
    expect(readPorc(withArgs).context).not.toHaveProperty('arguments_unknown');
    const input = { subject: { email: 'a' }, action: 'tools.invoke', resource: { type: 'tool', id: 't' } };
    expect(readOpaInput({ input }).context).toEqual({ arguments_unknown: true });
    const cedar = { principal: 'User::"a"', action: 'Action::"tools/call"', resource: 'Tool::"s/t"' };
    expect(readCedarAuthorize(cedar)).toMatchObject({
      subject: { id: 'a' },
      resource: { id: 't', properties: { server: 's' } },
      context: { arguments_unknown: true },
    });
  });
});

it.each<[string, () => unknown]>([
  [
    'a PORC of another feature',
    () => readPorc({ principal: { sub: 'a' }, operation: 'mcp:tool:call', resource: 'mrn:mcp:s:prompt:t' }),
  ],
  [
    'a PORC without a person',
    () => readPorc({ principal: {}, operation: 'mcp:tool:call', resource: 'mrn:mcp:s:tool:t' }),
  ],
  [
    'a PORC of an inherited operation',
    () => readPorc({ principal: { sub: 'a' }, operation: 'constructor', resource: 'mrn:mcp:s:tool:t' }),
  ],
  [
    'an OPA input without a person',
    () => readOpaInput({ input: { subject: {}, action: 'x', resource: { type: 'tool', id: 't' } } }),
  ],
  ['an OPA query without input', () => readOpaInput({})],
  [
    'a Cedar principal that is no User',
    () => readCedarAuthorize({ principal: 'Agent::"a"', action: 'Action::"x"', resource: 'Tool::"t"' }),
  ],
  [
    'a Cedar literal that ends early',
    () =>
      readCedarAuthorize({ principal: 'User::"a" || true', action: 'Action::"x"', resource: 'Tool::"t"' }),
  ],
  [
    'a Cedar type that is not known',
    () => readCedarAuthorize({ principal: 'User::"a"', action: 'Action::"x"', resource: 'constructor::"t"' }),
  ],
])('refuses %s', (_, read) => {
  expect(read).toThrow(UnmappableRequest);
});
