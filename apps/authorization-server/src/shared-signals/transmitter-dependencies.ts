import { randomUUID } from 'node:crypto';
import { createGuardedRequest } from '@behalf/adapter-http';
import { findAgent } from '@behalf/agent-identity';
import type { BehalfConfig } from '@behalf/config';
import { getGrant } from '@behalf/delegation-grants';
import type { Clock, EventLog, RecordStore, Signer } from '@behalf/ports';
import { type KeyEncryptionKey, open, seal } from '@behalf/sealing';
import type { Logger } from '@behalf/service-kit';
import { caepEvents, type Receiver, type TransmitterDependencies } from '@behalf/shared-signals';

const pushTimeoutMs = 5_000;
/** What a receiver says to a token is a short error, or nothing. */
const maxReplyBytes = 4_096;

export function receiversOf({ authorizationServer }: BehalfConfig): Receiver[] {
  const types = Object.values(caepEvents);
  return authorizationServer.sharedSignals.receivers.map((receiver) => ({
    clientId: receiver.clientId,
    audience: receiver.audience ?? receiver.clientId,
    events: types.filter((type) => receiver.events.some((name) => type.endsWith(`/${name}`))),
    namesPeople: receiver.subjects === 'iss_sub',
    internalHosts: receiver.internalHosts,
  }));
}

export interface Parts {
  records: RecordStore;
  events: EventLog;
  clock: Clock;
  signer: Signer;
  kek: KeyEncryptionKey;
  logger: Logger;
}

export function transmitterDependencies(
  config: BehalfConfig,
  { records, events, clock, signer, kek, logger }: Parts,
): TransmitterDependencies {
  const { issuer, paths, sharedSignals } = config.authorizationServer;
  const { allowLoopbackFetch: allowLoopback } = config.development;
  const request = createGuardedRequest({ allowLoopback, maxBytes: maxReplyBytes, timeoutMs: pushTimeoutMs });
  const context = (id: string) => ({ kind: 'ssf-stream', id });
  return {
    issuer,
    baseUrl: `${issuer}${paths.sharedSignals}`,
    receivers: receiversOf(config),
    defaultSubjects: sharedSignals.defaultSubjects,
    records,
    events,
    clock,
    signer,
    newId: randomUUID,
    facts: {
      findGrant: (id) => getGrant(records, id, clock.nowMs()).catch(() => undefined),
      findAgent: async (id) => {
        const agent = await findAgent(records, id);
        return agent && { scopes: agent.ceiling.scopes, credential: agent.credential?.method ?? 'jwk' };
      },
    },
    seal: (text, id) => seal(kek, Buffer.from(text), context(id)),
    open: async (sealed, id) => Buffer.from(await open(kek, sealed, context(id))).toString(),
    mayPushTo: (url) => url.startsWith('https://') || allowLoopback,
    push: (url, { headers, body, internalHosts }) =>
      request(url, { method: 'POST', headers, body, internalHosts }),
    random: Math.random,
    onFault: (what, err) => logger.warn({ ...(err !== undefined && { err }) }, what),
  };
}
