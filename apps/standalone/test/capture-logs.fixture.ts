import fs from 'node:fs';
import { format } from 'node:util';
import { jest } from '@jest/globals';

const outputs: readonly number[] = [1, 2];

/**
 * Keeps what is written to standard output and standard error from now on, by the log of a service, by anybody else in
 * this process, and by the processes of a fleet; `jest.restoreAllMocks` ends it.
 */
export function captureLogs(): string[] {
  const logged: string[] = [];
  const { write, writeSync } = fs;
  const keep = (data: unknown): number => Buffer.byteLength(logged[logged.push(String(data)) - 1] ?? '');
  jest
    .spyOn(fs, 'writeSync')
    .mockImplementation(((fd: number, data: string, ...more: never[]) =>
      outputs.includes(fd) ? keep(data) : writeSync(fd, data, ...more)) as typeof fs.writeSync);
  jest.spyOn(fs, 'write').mockImplementation((fd: number, data: string, ...more: unknown[]) => {
    if (!outputs.includes(fd)) return write(fd, data, ...(more as [never]));
    const done = more.at(-1) as (error: null, written: number) => void;
    setImmediate(() => done(null, keep(data)));
  });
  for (const stream of [process.stdout, process.stderr])
    jest.spyOn(stream, 'write').mockImplementation((data) => keep(data) > 0);
  for (const level of ['debug', 'log', 'info', 'warn', 'error'] as const)
    jest.spyOn(console, level).mockImplementation((...said: unknown[]) => void keep(format(...said)));
  return logged;
}
