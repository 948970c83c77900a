import { parseConfig } from '@behalf/config';
import { freePort } from '@behalf/testing';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNames } from '@behalf/contracts';
import { parse } from 'yaml';
import { settingsOf, startFleet } from './start-fleet.js';

/** What a service does here: says its id, and then that it is ready, or fails as its second process. */
const program = `
console.log('pid ' + process.pid);
const mine = process.env.BEHALF_CONFIG.split(':').at(-1);
if (mine.endsWith('policy-2.json')) process.exit(1);
setInterval(() => console.log('it listens on nothing'), mine.includes('policy') ? 1_000 : 10);
`;
const servers = {
  DATABASE_URL: 'postgres://nowhere',
  REDIS_URL: 'redis://nowhere',
  NATS_URL: 'nats://nowhere',
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-fleet-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('leaves nothing running when one of two processes fails while the other still starts', async () => {
  const file = parse(await readFile('deploy/demo/behalf.yaml', 'utf8')) as Record<string, any>;
  for (const key of Object.values(settingsOf)) file[key].listen.port = await freePort();
  for (const name of serviceNames) {
    await mkdir(join(folder, 'apps', name, 'src'), { recursive: true });
    await writeFile(join(folder, 'apps', name, 'src', 'main.js'), program);
  }
  const pids: number[] = [];
  const starting = startFleet({
    config: parseConfig({ ...file, dataFolder: folder }, {}),
    configFiles: 'unread',
    dist: folder,
    replicas: 2,
    environment: { ...process.env, ...servers },
    onLine: (_service, line) => {
      if (line.startsWith('pid ')) pids.push(Number(line.slice(4)));
    },
  });
  await expect(starting).rejects.toThrow('ended (1)');
  // The other one of policy may have been ended before it could say so.
  expect(pids.length).toBeGreaterThanOrEqual(3);
  expect(pids.filter(isRunning)).toEqual([]);
});
