import { createGuardedRequest } from '@behalf/adapter-http';
import type { BehalfConfig, SignalTransmitterConfig } from '@behalf/config';
import type { Logger } from '@behalf/service-kit';
import { SetRefusal } from '@behalf/shared-signals';
import { z } from 'zod';
import type { SignalReceiver } from './signal-receiver.js';

const maxEvents = 20;
/** So that a transmitter that always has more does not keep us for ever. */
const maxAsksOfRound = 50;
const maxReplyBytes = 2 * 1024 * 1024;
const timeoutMs = 10_000;
const answerSchema = z.object({
  sets: z.record(z.string().min(1), z.string()).default({}),
  moreAvailable: z.boolean().default(false),
});

/** Fetches what transmitters have for us, where they do not push. @see RFC 8936 */
export class SignalPoller {
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #polling = new Map<string, Promise<void>>();

  constructor(
    private readonly config: BehalfConfig,
    private readonly receiver: SignalReceiver,
    private readonly environment: Readonly<Record<string, string | undefined>>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    for (const transmitter of this.config.authorizationServer.sharedSignals.transmitters) {
      if (!transmitter.poll) continue;
      const everyMs = transmitter.poll.everySeconds * 1000;
      this.#timers.push(setInterval(() => void this.poll(transmitter), everyMs).unref());
      void this.poll(transmitter);
    }
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#polling.values());
  }

  /** One round at a time; what fails is asked for again in the next one. */
  poll(transmitter: SignalTransmitterConfig): Promise<void> {
    const { name } = transmitter;
    const running =
      this.#polling.get(name) ??
      this.#round(transmitter)
        .catch((err: unknown) => this.logger.warn({ err, transmitter: name }, 'signals were not fetched'))
        .finally(() => this.#polling.delete(name));
    this.#polling.set(name, running);
    return running;
  }

  async #round(transmitter: SignalTransmitterConfig): Promise<void> {
    let [ack, setErrs, more]: [string[], Record<string, object>, boolean] = [[], {}, true];
    for (let asked = 0; asked < maxAsksOfRound; asked++) {
      if (!more && ack.length === 0 && Object.keys(setErrs).length === 0) return;
      const { sets, moreAvailable } = await this.#ask(transmitter, { ack, setErrs });
      [ack, setErrs] = [[], {}];
      for (const [jti, token] of Object.entries(sets)) {
        try {
          await this.receiver.take(transmitter, token);
          ack.push(jti);
        } catch (error) {
          // What could not be done now stays where it is.
          if (!(error instanceof SetRefusal)) throw error;
          setErrs[jti] = { err: error.err, description: error.description };
        }
      }
      more = moreAvailable;
    }
  }

  async #ask({ poll }: SignalTransmitterConfig, report: { ack: string[]; setErrs: Record<string, object> }) {
    const { allowLoopbackFetch: allowLoopback } = this.config.development;
    const request = createGuardedRequest({ allowLoopback, maxBytes: maxReplyBytes, timeoutMs });
    const { status, body } = await request(poll?.endpoint ?? '', {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        authorization: `Bearer ${this.environment[poll?.tokenEnv ?? ''] ?? ''}`,
      },
      body: JSON.stringify({ maxEvents, returnImmediately: true, ...report }),
    });
    if (status !== 200) throw new Error(`the transmitter answered ${status}`);
    return answerSchema.parse(JSON.parse(Buffer.from(body).toString()));
  }
}
