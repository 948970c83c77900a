import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where programs are looked for: `node` is the one that runs us, then come the programs installed with us, then what
 * our own PATH holds. npm would do the same for a script; we may have been started without it.
 */
export function programPath(path = ''): string {
  const installed = installedPrograms();
  return [dirname(process.execPath), ...(installed === undefined ? [] : [installed]), path]
    .filter((entry) => entry !== '')
    .join(delimiter);
}

/** The `node_modules/.bin` nearest above this file, be it source or build. */
function installedPrograms(): string | undefined {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const programs = join(folder, 'node_modules', '.bin');
    if (existsSync(programs)) return programs;
    if (folder === dirname(folder)) return undefined;
  }
}
