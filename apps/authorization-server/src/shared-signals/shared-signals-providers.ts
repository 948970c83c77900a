import type { BehalfConfig } from '@behalf/config';
import type { Clock, EventLog, RecordStore, Signer } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { CLOCK, EVENT_LOG, KEY_ENCRYPTION_KEY, type Logger, LOGGER, RECORD_STORE } from '@behalf/service-kit';
import { ReceiverAuthorization } from '../http/receiver-authorization.js';
import type { TokenAuthorization } from '../http/token-authorization.js';
import { RECEIVER_AUTHORIZATION, SIGNAL_TRANSMITTER, SIGNER, TOKEN_AUTHORIZATION } from '../tokens.js';
import { SignalTransmitter } from './signal-transmitter.js';
import { receiversOf, transmitterDependencies } from './transmitter-dependencies.js';

/** The parts of the authorization server that tell the world outside. */
export function sharedSignalsProviders(config: BehalfConfig) {
  return [
    {
      provide: RECEIVER_AUTHORIZATION,
      inject: [TOKEN_AUTHORIZATION],
      useFactory: (tokens: TokenAuthorization) =>
        new ReceiverAuthorization(config, tokens, receiversOf(config)),
    },
    {
      provide: SIGNAL_TRANSMITTER,
      inject: [RECORD_STORE, EVENT_LOG, CLOCK, SIGNER, KEY_ENCRYPTION_KEY, LOGGER],
      useFactory: (
        records: RecordStore,
        events: EventLog,
        clock: Clock,
        signer: Signer,
        kek: KeyEncryptionKey,
        logger: Logger,
      ) =>
        new SignalTransmitter(
          transmitterDependencies(config, { records, events, clock, signer, kek, logger }),
        ),
    },
  ];
}
