import { OAuthError } from '@behalf/oauth';
import { checkDeadline } from '@behalf/ports';
import { Cluster, type CommonRedisOptions, Redis, ReplyError } from 'ioredis';
import { type RedisTarget, parseRedisUrl } from './redis-url.js';
import { scripts } from './scripts.js';

export interface RedisOpenOptions {
  /** Shown by `CLIENT LIST`. */
  name: string;
  commandTimeoutMs?: number;
  /** A connection was lost, or could not be made; it is tried again. */
  onConnectionLost?: (error: Error) => void;
}

export interface OpenedRedis {
  /**
   * Runs one of our scripts on the server that has its keys.
   *
   * @throws OAuthError `temporarily_unavailable` when there is no answer in time
   */
  run(
    script: keyof typeof scripts,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown>;
  /** Rejects when there is no answer in time. Says nothing of whether it takes writes. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const longestPauseMs = 2_000;
/** Nothing waits for a service that is being opened, and a machine on which many are is slow. */
const openingMs = 10_000;
/** For what the library asks by itself, and beyond our own time: the library's does not look before it gives up. */
const lateLookMs = 10_000;

/**
 * Connects to Redis. A command is sent once: what it did when its answer was lost is not known, and sending it again
 * could do it twice.
 *
 * @throws InvalidRedisUrl; Error when the server may forget keys before their time is over, or cannot be reached
 */
export async function openRedis(url: string, options: RedisOpenOptions): Promise<OpenedRedis> {
  const { name, commandTimeoutMs = 1_000, onConnectionLost = () => {} } = options;
  const client = connect(parseRedisUrl(url), {
    connectionName: name,
    commandTimeout: commandTimeoutMs + lateLookMs,
    connectTimeout: commandTimeoutMs,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: false,
    scripts,
  });
  client.on('error', onConnectionLost);
  const opened: OpenedRedis = {
    run: async (script, keys, values) => {
      checkDeadline();
      try {
        const commands = client as unknown as Record<
          typeof script,
          (...input: unknown[]) => Promise<unknown>
        >;
        return await inTime(commands[script](...keys, ...values), commandTimeoutMs);
      } catch (cause) {
        throw new OAuthError('temporarily_unavailable', 'short-lived state cannot be reached', {
          cause,
          retryAfterSeconds: 1,
        });
      }
    },
    ping: async () => void (await inTime(client.ping(), commandTimeoutMs)),
    close: async () => {
      client.disconnect();
    },
  };
  try {
    checkKeepsKeys(await inTime(client.info('memory'), openingMs));
    return opened;
  } catch (cause) {
    client.disconnect();
    // What the server says to us passes as it is: another attempt will hear the same.
    if (cause instanceof ReplyError || cause instanceof ForgetsKeys) throw cause;
    throw new OAuthError('temporarily_unavailable', 'Redis cannot be reached', { cause });
  }
}

function connect(target: RedisTarget, options: CommonRedisOptions): Redis | Cluster {
  const { username, password } = target;
  const shared = {
    ...options,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(target.tls && { tls: {} }),
  };
  const retryStrategy = (times: number): number =>
    Math.min(2 ** times * 25, longestPauseMs) * (0.5 + Math.random() / 2);
  switch (target.kind) {
    case 'standalone':
      return new Redis({ ...shared, ...target.node, db: target.db, retryStrategy });
    case 'sentinel':
      return new Redis({
        ...shared,
        sentinels: target.sentinels,
        name: target.master,
        db: target.db,
        retryStrategy,
        sentinelRetryStrategy: retryStrategy,
        ...(target.tls && { enableTLSForSentinelMode: true }),
      });
    case 'cluster': {
      const { scripts: shareable, ...redisOptions } = shared;
      return new Cluster(target.nodes, {
        redisOptions,
        ...(shareable && { scripts: shareable }),
        clusterRetryStrategy: retryStrategy,
      });
    }
  }
}

function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    // After a process was busy for long, its timers come before the answers that have been here for long: those are
    // read before the immediates.
    const timer = setTimeout(() => setImmediate(() => reject(new Error('no answer in time'))), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

class ForgetsKeys extends Error {
  override readonly name = 'ForgetsKeys';
}

/** A marker that goes before its time makes what was used usable again. */
function checkKeepsKeys(memory: string): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (/^maxmemory:0\s/m.test(memory) || policy === 'noeviction') return;
  throw new ForgetsKeys(`Redis may forget keys (maxmemory-policy ${policy}); it must be noeviction`);
}
