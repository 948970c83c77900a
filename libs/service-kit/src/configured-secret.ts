import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

const rereadAfterMs = 1_000;
/** The one in use and the one before it, as of keys. */
const maxAtOnce = 2;

/** A secret is named that the environment does not have, by the variable's name. */
export class ConfiguredSecretError extends Error {
  override readonly name = 'ConfiguredSecretError';
}

/**
 * A secret that the configuration names: the environment variable of that name, or the file that `<name>_FILE` names.
 * The file is read anew while the service runs, once in a second at the most, so that a secret is changed in every
 * process without a restart: the first line is the secret, the second one, if there is one, still good.
 *
 * A file that is empty or gone has no secret, and nobody is let in by the one that was there; one that cannot be read
 * for another reason is as it was.
 */
export class ConfiguredSecret {
  #accepted: readonly string[];
  #newest: string;
  #readAtMs: number;

  private constructor(
    private readonly file: string | undefined,
    first: readonly string[],
    private readonly elapsedMs: () => number,
  ) {
    this.#accepted = first;
    this.#newest = first[0] ?? '';
    this.#readAtMs = elapsedMs();
  }

  /** One that never changes. */
  static of(secret: string): ConfiguredSecret {
    return new ConfiguredSecret(undefined, [secret], () => 0);
  }

  /** @throws ConfiguredSecretError when there is neither the variable nor a file with a secret */
  static named(
    name: string,
    environment: Readonly<Record<string, string | undefined>>,
    elapsedMs: () => number = () => performance.now(),
  ): ConfiguredSecret {
    const file = environment[`${name}_FILE`] || undefined;
    const first = file === undefined ? [environment[name] ?? ''] : readSecrets(file);
    if (!first?.[0])
      throw new ConfiguredSecretError(
        file === undefined ? `the environment has no ${name}` : `${name}_FILE names no file with a secret`,
      );
    return new ConfiguredSecret(file, first, elapsedMs);
  }

  /** How one that is presented is found by its name. */
  static presentedFrom(
    environment: Readonly<Record<string, string | undefined>>,
  ): (name: string) => () => string {
    return (name) => {
      const secret = ConfiguredSecret.named(name, environment);
      return () => secret.newest();
    };
  }

  /** Those that let somebody in, the newest first. The list is the same one until it changes. */
  accepted(): readonly string[] {
    this.#reread();
    return this.#accepted;
  }

  /** The one to present; the last there was, when there is none any more. */
  newest(): string {
    this.#reread();
    return this.#newest;
  }

  /**
   * Secrets of 32 bytes for a purpose of its own, the same in every process that has this one: of those that are good
   * now, the newest first. With the file gone they are the last there were: they let nobody in.
   */
  derivedFor(purpose: string): () => readonly Uint8Array[] {
    let sources: readonly string[] = [];
    let derived: readonly Uint8Array[] = [];
    return () => {
      const current = this.accepted();
      if (current !== sources && (current.length > 0 || derived.length === 0)) {
        sources = current;
        const from = current.length > 0 ? current : [this.#newest];
        derived = from.map((one) => new Uint8Array(hkdfSync('sha256', one, '', purpose, 32)));
      }
      return derived;
    };
  }

  #reread(): void {
    if (this.file === undefined || this.elapsedMs() - this.#readAtMs < rereadAfterMs) return;
    this.#readAtMs = this.elapsedMs();
    const found = readSecrets(this.file);
    if (found === undefined || found.join('\n') === this.#accepted.join('\n')) return;
    this.#accepted = found;
    this.#newest = found[0] ?? this.#newest;
  }
}

/** @returns undefined for a file that is there and cannot be read now */
function readSecrets(file: string): string[] | undefined {
  try {
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    return lines.filter((line) => line !== '').slice(0, maxAtOnce);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : undefined;
  }
}
