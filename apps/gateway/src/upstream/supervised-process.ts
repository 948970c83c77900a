import type { Logger } from '@behalf/service-kit';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { programPath } from './program-path.js';

const firstPauseMs = 250;
const longestPauseMs = 30_000;
/** A program that ran this long had started well: the next pause is short again. */
const healthyAfterMs = 30_000;
const graceMs = 2_000;
const maxLineShown = 2_000;

const running = new Set<ChildProcessWithoutNullStreams>();
// An end without a drain, after a deadline or a fault, must not leave programs behind that keep their ports.
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export interface Command {
  command: string;
  args: string[];
  cwd?: string | undefined;
  env: Record<string, string>;
}

/**
 * A program that is started, watched, and started again when it ends, with growing, jittered pauses.
 *
 * It gets PATH (`programPath`), HOME and what the configuration gives it, and nothing else of our environment: that
 * holds secrets. A PATH that is configured takes the place of ours.
 * What it writes to stderr goes to the log at debug level until it serves: from then on it may be what callers sent it,
 * and only that something was written is told.
 */
export class SupervisedProcess {
  #child: ChildProcessWithoutNullStreams | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;
  #stopped = false;
  #serves = false;

  constructor(
    private readonly command: Command,
    private readonly logger: Logger,
    private readonly listener: {
      onStart(child: ChildProcessWithoutNullStreams): void;
      onExit(): void;
    },
  ) {}

  /** Says that what callers send reaches the program from now on. */
  markServing(): void {
    this.#serves = true;
  }

  start(): void {
    if (this.#stopped) return;
    this.#serves = false;
    const startedAt = performance.now();
    let ended = false;
    const exited = (how: unknown): void => {
      if (ended) return;
      ended = true;
      this.#child = undefined;
      this.listener.onExit();
      if (performance.now() - startedAt > healthyAfterMs) this.#pauseMs = firstPauseMs;
      if (!this.#stopped) this.#startLater(how);
    };
    try {
      this.#child = this.#spawn(exited);
    } catch (error) {
      // A folder that cannot be made, or no process to be had, may be over soon, and must not end us meanwhile.
      exited((error as NodeJS.ErrnoException).code ?? 'not started');
      return;
    }
    if (this.#child.pid !== undefined) this.listener.onStart(this.#child);
  }

  #startLater(how: unknown): void {
    const pauseMs = this.#pauseMs * (0.5 + Math.random());
    this.logger.warn({ how, pauseMs: Math.round(pauseMs) }, 'upstream program ended; starting it again');
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    this.#timer = setTimeout(() => this.start(), pauseMs);
  }

  #spawn(exited: (how: unknown) => void): ChildProcessWithoutNullStreams {
    const { command, args, cwd, env } = this.command;
    if (cwd !== undefined) mkdirSync(cwd, { recursive: true });
    const child = spawn(command, args, {
      cwd,
      env: { PATH: programPath(process.env['PATH']), HOME: process.env['HOME'] ?? '', ...env },
      stdio: 'pipe',
      // A group of its own: Ctrl-C in a terminal goes to our whole group, and calls that are running are to be finished.
      detached: true,
    });
    running.add(child);
    child.once('error', (error: NodeJS.ErrnoException) => exited(error.code ?? error.name));
    child.once('close', (code, signal) => {
      running.delete(child);
      exited(signal ?? code);
    });
    // A write to a program that has just ended must not end us; its exit is handled above.
    child.stdin.on('error', () => {});
    createInterface({ input: child.stderr }).on('line', (line) =>
      this.logger.debug(
        this.#serves ? { characters: line.length } : { line: line.slice(0, maxLineShown) },
        'upstream program wrote to standard error',
      ),
    );
    return child;
  }

  /** Ends a program that misbehaves; it is then started again. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Closes its input, then asks it to end, then makes it. */
  async close(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
    const timers = [
      setTimeout(() => child.kill('SIGTERM'), graceMs),
      setTimeout(() => child.kill('SIGKILL'), 2 * graceMs),
    ];
    child.stdin.end();
    await closed;
    timers.forEach(clearTimeout);
  }
}
