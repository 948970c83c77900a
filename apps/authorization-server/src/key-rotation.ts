import { signingKeysRotated } from '@behalf/contracts';
import type { Bus, Subscription } from '@behalf/ports';
import type { SigningKeys } from '@behalf/signing-keys';
import type { IssuerKeys } from './issuer-keys.js';
import type { ProviderHolder } from './provider-holder.js';

/** An event can be lost, or nothing be done about it; the keys stay in the store. Far less than retired keys are published. */
const recheckMs = 60_000;

/** Puts new signing keys to use everywhere in this process. */
export class KeyRotation {
  /** The names of the keys that are in use here; none before the first look. */
  #known: string | undefined;

  constructor(
    private readonly holder: Pick<ProviderHolder, 'reload'>,
    private readonly issuerKeys: Pick<IssuerKeys, 'refresh'>,
    private readonly signer: { refresh(): void },
    private readonly signingKeys: Pick<SigningKeys, 'publicJwks'>,
  ) {}

  async take(): Promise<void> {
    const published = await this.#published();
    this.issuerKeys.refresh();
    this.signer.refresh();
    await this.holder.reload();
    this.#known = published;
  }

  /** Another process may be the one that rotates. */
  follow(
    bus: Bus,
    { onFault, everyMs = recheckMs }: { onFault: (error: unknown) => void; everyMs?: number },
  ): Subscription {
    const recheck = async (): Promise<void> => {
      if ((await this.#published()) !== this.#known) await this.take();
    };
    const timer = setInterval(() => void recheck().catch(onFault), everyMs).unref();
    const events = bus.subscribe(signingKeysRotated, () => this.take());
    return {
      drain: async () => {
        clearInterval(timer);
        await events.drain();
      },
    };
  }

  async #published(): Promise<string> {
    const { keys } = await this.signingKeys.publicJwks();
    return JSON.stringify(keys.map(({ kid }) => kid));
  }
}
