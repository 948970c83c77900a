import { signingKeysRotated } from '@behalf/contracts';
import type { Bus, Subscription } from '@behalf/ports';
import type { IssuerKeys } from './issuer-keys.js';
import type { ProviderHolder } from './provider-holder.js';

/** Puts new signing keys to use everywhere in this process. */
export class KeyRotation {
  constructor(
    private readonly holder: ProviderHolder,
    private readonly issuerKeys: IssuerKeys,
    private readonly signer: { refresh(): void },
  ) {}

  async take(): Promise<void> {
    this.issuerKeys.refresh();
    this.signer.refresh();
    await this.holder.reload();
  }

  /** Another process may be the one that rotates. */
  follow(bus: Bus): Subscription {
    return bus.subscribe(signingKeysRotated, () => this.take());
  }
}
