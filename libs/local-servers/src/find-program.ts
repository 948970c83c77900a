import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Program =
  'nats-server' | 'redis-server' | 'redis-sentinel' | 'postgres' | 'initdb' | 'nginx' | 'caddy' | 'chromium';

/** Debian keeps PostgreSQL's programs out of the path, one folder per version. */
const debianPostgres = '/usr/lib/postgresql';

/** Where a program is; undefined when it is not installed. */
export function findProgram(program: Program): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  if (existsSync(debianPostgres)) {
    const versions = readdirSync(debianPostgres).sort((one, other) => Number(other) - Number(one));
    folders.push(...versions.map((version) => join(debianPostgres, version, 'bin')));
  }
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}

/** @throws Error that names what is missing */
export function requireProgram(program: Program): string {
  const found = findProgram(program);
  if (found === undefined) throw new Error(`${program} is not installed on this machine`);
  return found;
}
