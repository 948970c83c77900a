import { readFileSync } from 'node:fs';
import { errorTable } from './index.js';

describe('docs/errors.md', () => {
  it('is what the code says; `npm run docs` writes it', () => {
    expect(readFileSync('docs/errors.md', 'utf8')).toBe(errorTable());
  });
});
