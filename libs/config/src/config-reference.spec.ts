import { readFileSync } from 'node:fs';
import { configReference } from './index.js';

describe('docs/configuration.md', () => {
  it('is what the schema says; `npm run docs` writes it', () => {
    expect(readFileSync('docs/configuration.md', 'utf8')).toBe(configReference());
  });
});
