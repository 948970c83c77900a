import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import type { ServerProcess } from './server-process.js';

/** A server that runs, on an address that stays the same however often it is started. */
export interface LocalServer {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly process: ServerProcess;
  /** As after a crash of the machine that lost its disk. */
  restartEmpty(): Promise<void>;
  /** Ends it; a temporary folder goes with it. */
  close(): Promise<void>;
}

const portAttempts = 5;

/** A folder of its own for a server: the one given, else a temporary one that `remove` deletes. */
export async function serverFolder(
  name: string,
  folder?: string,
  owner?: { uid: number; gid: number },
): Promise<{ folder: string; remove: () => Promise<void> }> {
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const at = folder ?? (await mkdtemp(join(tmpdir(), `behalf-${name}-`)));
  if (owner) await chown(at, owner.uid, owner.gid);
  return {
    folder: at,
    remove: async () => {
      if (folder === undefined) await rm(at, { recursive: true, force: true });
    },
  };
}

/** Starts on the port given, or on a free one: another program may take that first, so it is tried again. */
export async function startOnPort(
  port: number | undefined,
  start: (port: number) => Promise<ServerProcess>,
): Promise<{ port: number; process: ServerProcess }> {
  if (port !== undefined) return { port, process: await start(port) };
  for (let attempt = 1; ; attempt++) {
    const free = await freePort();
    try {
      return { port: free, process: await start(free) };
    } catch (error) {
      if (attempt === portAttempts || !/in use/i.test(String(error))) throw error;
    }
  }
}
