// Builds dist/ when a source has changed since it was built. Commands that a person types often do not wait for a build.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const sources = ['apps', 'libs', 'deploy', 'nest-cli.json', 'package-lock.json', 'tsconfig.json'];
const mark = 'dist/.built-from';

/** Changes with every source that is changed, added or taken away. */
function stateOfSources() {
  const hash = createHash('sha256');
  for (const source of sources) {
    const files = statSync(source).isDirectory()
      ? readdirSync(source, { recursive: true }).map((file) => join(source, file))
      : [source];
    for (const file of files.sort()) {
      const { mtimeMs, size } = statSync(file);
      hash.update(`${file} ${mtimeMs} ${size}\n`);
    }
  }
  return hash.digest('hex');
}

function builtFrom() {
  try {
    return readFileSync(mark, 'utf8');
  } catch {
    return undefined;
  }
}

const state = stateOfSources();
if (builtFrom() !== state) {
  const { status } = spawnSync('nest', ['build', 'standalone'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(mark, state);
}
