import { readFileSync } from 'node:fs';
import { z } from 'zod';
import * as contracts from './index.js';
import { eventCatalogue, events } from './index.js';

function isEvent(value: object): boolean {
  return 'type' in value && 'data' in value;
}

describe('docs/events.md', () => {
  it('is what the contracts say; `npm run docs` writes it', () => {
    expect(readFileSync('docs/events.md', 'utf8')).toBe(eventCatalogue());
  });

  it('has every event that there is', () => {
    const exported = Object.values<object>(contracts).filter(isEvent);
    expect(exported.length).toBeGreaterThan(0);
    expect(new Set<object>(events)).toEqual(new Set(exported));
  });

  it('marks every field that names a person as personal data', () => {
    const named = /^(?:owner|person|sub|email|username)$/;
    const unmarked = events.flatMap(({ type, data }) => {
      const { properties = {} } = z.toJSONSchema(data) as { properties?: Record<string, object> };
      return Object.entries(properties)
        .filter(([name, field]) => named.test(name) && !('personal' in field))
        .map(([name]) => `${type} ${name}`);
    });
    expect(unmarked).toEqual([]);
  });
});
