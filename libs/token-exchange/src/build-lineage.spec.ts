import { maxChainDepth } from '@behalf/oauth';
import { buildLineage } from './build-lineage.js';
import { subjectClaims } from './exchange.fixture.js';

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `jti-${index}`);

describe('buildLineage', () => {
  it('names every token before, and the subject token last', () => {
    expect(buildLineage(subjectClaims({ jti: 'own', lineage: ids(2) }))).toEqual(['jti-0', 'jti-1', 'own']);
    expect(buildLineage(subjectClaims({ jti: 'own' }))).toEqual(['own']);
  });

  it('is as long as a chain may be, and refused when it is longer, never cut', () => {
    expect(buildLineage(subjectClaims({ lineage: ids(maxChainDepth - 1) }))).toHaveLength(maxChainDepth);
    expect(() => buildLineage(subjectClaims({ lineage: ids(maxChainDepth) }))).toThrow('chain_too_deep');
  });
});
