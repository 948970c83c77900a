// Writes the pages of docs/ that are made from code. Tests compare them, so a forgotten run shows.
import { writeFileSync } from 'node:fs';
import { configReference } from '../dist/libs/config/src/index.js';
import { eventCatalogue } from '../dist/libs/contracts/src/index.js';
import { errorTable } from '../dist/libs/oauth/src/index.js';

writeFileSync('docs/configuration.md', configReference());
writeFileSync('docs/errors.md', errorTable());
writeFileSync('docs/events.md', eventCatalogue());
