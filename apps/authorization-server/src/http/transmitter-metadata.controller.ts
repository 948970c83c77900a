import type { BehalfConfig } from '@behalf/config';
import { CONFIG } from '@behalf/service-kit';
import { transmitterMetadata } from '@behalf/shared-signals';
import { Controller, Get, Header, Inject } from '@nestjs/common';
import type { SignalTransmitter } from '../shared-signals/signal-transmitter.js';
import { SIGNAL_TRANSMITTER } from '../tokens.js';

/** Where receivers find everything. Public. @see SSF 1.0 §7.2 */
@Controller('.well-known')
export class TransmitterMetadataController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(SIGNAL_TRANSMITTER) private readonly transmitter: SignalTransmitter,
  ) {}

  @Get('ssf-configuration')
  @Header('Cache-Control', 'public, max-age=300')
  @Header('Access-Control-Allow-Origin', '*')
  describe(): object {
    const { issuer, paths } = this.config.authorizationServer;
    return transmitterMetadata(this.transmitter.dependencies, `${issuer}${paths.jwks}`);
  }
}
