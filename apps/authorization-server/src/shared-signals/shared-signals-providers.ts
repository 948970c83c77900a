import type { BehalfConfig } from '@behalf/config';
import type { AuditLog } from '@behalf/audit';
import type { Bus, Clock, EventLog, RecordStore, Signer } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import {
  AUDIT_LOG,
  BUS,
  CLOCK,
  EVENT_LOG,
  KEY_ENCRYPTION_KEY,
  type Logger,
  LOGGER,
  RECORD_STORE,
} from '@behalf/service-kit';
import { IssuerKeySets } from '@behalf/trusted-issuers';
import { ReceiverAuthorization } from '../http/receiver-authorization.js';
import type { TokenAuthorization } from '../http/token-authorization.js';
import {
  RECEIVER_AUTHORIZATION,
  SIGNAL_POLLER,
  SIGNAL_RECEIVER,
  SIGNAL_TRANSMITTER,
  SIGNER,
  TOKEN_AUTHORIZATION,
} from '../tokens.js';
import { SignalPoller } from './signal-poller.js';
import { SignalReceiver } from './signal-receiver.js';
import { SignalTransmitter } from './signal-transmitter.js';
import { receiversOf, transmitterDependencies } from './transmitter-dependencies.js';

interface SharedSignalsOptions {
  config: BehalfConfig;
  environment: Readonly<Record<string, string | undefined>>;
  /** By the guarded fetch. */
  fetchJson: (url: string) => Promise<unknown>;
}

/** The parts of the authorization server that tell the world outside, and hear it. */
export function sharedSignalsProviders({ config, environment, fetchJson }: SharedSignalsOptions) {
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
    {
      provide: SIGNAL_RECEIVER,
      inject: [RECORD_STORE, AUDIT_LOG, BUS, CLOCK],
      useFactory: (records: RecordStore, audit: AuditLog, bus: Bus, clock: Clock) => {
        const keys = new IssuerKeySets({ clock, fetchJson });
        return new SignalReceiver(config, { records, audit, bus, clock, keys, environment });
      },
    },
    {
      provide: SIGNAL_POLLER,
      inject: [SIGNAL_RECEIVER, LOGGER],
      useFactory: (receiver: SignalReceiver, logger: Logger) =>
        new SignalPoller(config, receiver, environment, logger),
    },
  ];
}
