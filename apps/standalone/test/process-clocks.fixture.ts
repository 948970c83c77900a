import { jest } from '@jest/globals';
import { mkdirSync, openSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The clock of this process, for what runs in it. */
export function moveOwnClock(seconds: number): void {
  jest.useFakeTimers({
    now: Date.now() + seconds * 1000,
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });
}

/** Clocks of processes that are started with `environmentOf`, each of which can be put off by itself. */
export class ProcessClocks {
  readonly #files = new Map<string, number>();

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  environmentOf(name: string): Record<string, string> {
    const file = join(this.folder, name);
    this.#files.set(name, openSync(file, 'w+'));
    this.put(0, name);
    const shifted = pathToFileURL(resolve('apps/standalone/test/shifted-clock.mjs')).href;
    return { BEHALF_TEST_CLOCK: file, NODE_OPTIONS: `--import ${shifted}` };
  }

  /** Off by so many seconds, from now on: of the one named, else of all. */
  put(seconds: number, name?: string): void {
    // Written over in one go: a reader never finds half a number.
    const text = String(seconds * 1000).padEnd(16);
    for (const [known, file] of this.#files)
      if (name === undefined || name === known) writeSync(file, text, 0);
  }
}
