import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const keptLines = 50;

export interface ProcessSettings {
  command: string;
  args: readonly string[];
  /** A line of its output that says it can be used. */
  readyLine: RegExp;
  /** Asks it to end in good order. */
  stopSignal?: NodeJS.Signals;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** The user to run as. */
  user?: { uid: number; gid: number } | undefined;
  /** Given every line of its output. */
  onLine?: (line: string) => void;
}

/** One program that can be started, ended in any way, and started again. */
export class ServerProcess {
  #child: ChildProcess | undefined;
  #said: string[] = [];

  constructor(private readonly settings: ProcessSettings) {}

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @throws Error with the last lines it said when it ends before it is ready */
  async start(): Promise<void> {
    const { command, args, env, cwd, user, readyLine } = this.settings;
    this.#said = [];
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(env && { env }),
      ...(cwd !== undefined && { cwd }),
      ...user,
    });
    this.#child = child;
    const ready = Promise.withResolvers<void>();
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#said = [...this.#said, line].slice(-keptLines);
        this.settings.onLine?.(line);
        if (readyLine.test(line)) ready.resolve();
      });
    }
    child.once('error', ready.reject);
    child.once('close', (code, signal) => {
      this.#child = undefined;
      ready.reject(new Error(`${command} ended (${signal ?? code}):\n${this.#said.join('\n')}`));
    });
    await ready.promise;
  }

  /** Resolves when it has ended by itself or by us. */
  async ended(): Promise<void> {
    if (this.#child) await once(this.#child, 'close');
  }

  /** Resolves to the code that it ended with. */
  stop(signal = this.settings.stopSignal ?? 'SIGTERM'): Promise<number | null | undefined> {
    return this.#end(signal);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** It and its children keep their connections and answer nothing. */
  suspend(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child ?? {};
    if (pid === undefined) return;
    // Of PostgreSQL each connection has a process of its own. Only Linux tells.
    const file = `/proc/${pid}/task/${pid}/children`;
    const children = existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean) : [];
    for (const id of [pid, ...children.map(Number)]) {
      try {
        process.kill(id, signal);
      } catch (error) {
        // It has ended since.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  async #end(signal: NodeJS.Signals): Promise<number | null | undefined> {
    const child = this.#child;
    if (!child) return undefined;
    const closed = once(child, 'close');
    child.kill(signal);
    // What is suspended hears of SIGTERM only when it goes on.
    if (signal !== 'SIGKILL') this.resume();
    await closed;
    return child.exitCode;
  }
}
