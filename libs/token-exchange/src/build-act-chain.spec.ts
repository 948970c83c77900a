import { encodedChainBytes, maxChainBytes, maxChainDepth, nestActor, type ActClaim } from '@behalf/oauth';
import { buildActChain } from './build-act-chain.js';

const deep = (depth: number): ActClaim =>
  Array.from({ length: depth - 1 }).reduce<ActClaim>((act) => nestActor({ sub: 'a' }, act), { sub: 'a' });
const long = (bytes: number): ActClaim => ({ sub: 'x'.repeat(bytes) });
const reason = (work: () => unknown): unknown => {
  try {
    return work() && 'built';
  } catch (error) {
    return (error as { reason: { kind: string } }).reason.kind;
  }
};

describe('buildActChain', () => {
  it('RFC 8693 §4.1: the new actor is outermost, the old chain is inside as it was', () => {
    expect(buildActChain('b', { sub: 'a', act: { sub: 'first' } })).toEqual({
      sub: 'b',
      act: { sub: 'a', act: { sub: 'first' } },
    });
  });

  it('is as deep as it may be, and refused when it is deeper, never cut', () => {
    expect(reason(() => buildActChain('b', deep(maxChainDepth - 1)))).toBe('built');
    expect(reason(() => buildActChain('b', deep(maxChainDepth)))).toBe('chain_too_deep');
    expect(reason(() => buildActChain('b', deep(1), 2))).toBe('built');
    expect(reason(() => buildActChain('b', deep(2), 2))).toBe('chain_too_deep');
    expect(reason(() => buildActChain('b', deep(maxChainDepth), 99))).toBe('chain_too_deep');
  });

  it('is as large as it may be, and refused when it is a byte larger', () => {
    const room = maxChainBytes - encodedChainBytes(nestActor({ sub: 'b' }, long(0)));
    expect(reason(() => buildActChain('b', long(room)))).toBe('built');
    expect(reason(() => buildActChain('b', long(room + 1)))).toBe('chain_too_large');
  });
});
