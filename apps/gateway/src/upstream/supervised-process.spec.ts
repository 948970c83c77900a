import { createLogger } from '@behalf/service-kit';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Command, SupervisedProcess } from './supervised-process.js';

const logger = createLogger('test', 'silent');

describe('a supervised program', () => {
  const path = process.env['PATH'];
  let supervised: SupervisedProcess | undefined;
  afterEach(async () => {
    process.env['PATH'] = path;
    await supervised?.close();
  });

  const start = (command: Partial<Command>): Promise<ChildProcessWithoutNullStreams> =>
    new Promise((onStart) => {
      const whole = { command: 'node', args: [], env: {}, ...command };
      supervised = new SupervisedProcess(whole, logger, { onStart, onExit: () => {} });
      supervised.start();
    });
  const sayOf = (expression: string): string[] => ['-p', expression];

  it('finds the Node that runs us and the programs installed with us, wherever and however we were started', async () => {
    process.env['PATH'] = '/usr/bin:/bin';
    const node = await start({ args: sayOf('process.execPath'), cwd: tmpdir() });
    expect((await text(node.stdout)).trim()).toBe(realpathSync(process.execPath));
    await supervised?.close();
    const everything = await start({ command: 'mcp-server-everything', args: ['no such transport'] });
    expect(everything.spawnfile).toBe('mcp-server-everything');
  });

  it('has the PATH that is configured for it, if one is', async () => {
    const shell = await start({ command: '/bin/sh', args: ['-c', 'echo $PATH'], env: { PATH: '/nowhere' } });
    expect(await text(shell.stdout)).toBe('/nowhere\n');
  });

  it('is not in our process group: Ctrl-C is for us, who let its calls finish first', async () => {
    const shell = await start({ command: '/bin/sh', args: ['-c', 'cut -d" " -f5 /proc/$$/stat'] });
    expect(Number(await text(shell.stdout))).toBe(shell.pid);
  });

  it('that has no folder is tried again, and nothing else ends', () => {
    const folder = mkdtempSync(join(tmpdir(), 'supervised-'));
    writeFileSync(join(folder, 'file'), '');
    let exits = 0;
    const command = { command: 'node', args: [], env: {}, cwd: join(folder, 'file', 'below') };
    supervised = new SupervisedProcess(command, logger, { onStart: () => {}, onExit: () => void exits++ });
    supervised.start();
    expect(exits).toBe(1);
    rmSync(folder, { recursive: true });
  });
});
