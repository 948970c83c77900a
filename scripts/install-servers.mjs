// Installs the servers, proxies and browser that tests run with where that is possible (Debian and root), without
// starting the services that come with them. Where it is not, the suites that need them are skipped: in CI a failure.
// With `--services`, only what `npm run services` needs.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const folders = [...process.env.PATH.split(delimiter), '/usr/sbin'];
const isInPath = (program) => folders.some((folder) => existsSync(join(folder, program)));
const packages = [
  ['nats-server', isInPath('nats-server')],
  ['redis-server', isInPath('redis-server')],
  ['redis-sentinel', isInPath('redis-sentinel')],
  ['postgresql', isInPath('postgres') || existsSync('/usr/lib/postgresql')],
  ...(process.argv.includes('--services')
    ? []
    : [
        ['nginx-light', isInPath('nginx')],
        ['caddy', isInPath('caddy')],
        ['chromium', isInPath('chromium')],
      ]),
];
const missing = packages.filter(([, isThere]) => !isThere).map(([name]) => name);
if (missing.length > 0 && process.getuid?.() === 0 && isInPath('apt-get')) {
  console.log(`Installing ${missing.join(', ')} (first run only) ...`);
  // At run level 1 a package's scripts start no services.
  const quiet = {
    stdio: 'ignore',
    env: { ...process.env, PATH: folders.join(delimiter), DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  };
  try {
    execFileSync('apt-get', ['update'], quiet);
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...missing], quiet);
  } catch {
    console.warn(`Could not install ${missing.join(', ')}: suites that need them will not run.`);
  }
} else if (missing.length > 0) {
  console.warn(`Run "apt-get install ${missing.join(' ')}" as root to run the suites that need them.`);
}
