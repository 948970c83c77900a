// Installs what the lock file names when it is not there yet. Runs on any Node >= 20, before Node 24 is in place.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';

/** True when every package of the lock file that this platform needs is installed at its locked version. */
function isInstalled() {
  if (!existsSync(installed)) return false;
  const locked = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(locked).every(
    ([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version,
  );
}

if (!isInstalled()) {
  console.log('Installing dependencies (first run only) ...');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exit(status ?? 1);
}
