import { isIP } from 'node:net';
import { type PeerCertificate, checkServerIdentity } from 'node:tls';
import { OAuthError } from '@behalf/oauth';
import {
  type ConnectionOptions,
  type NatsConnection,
  TimeoutError,
  connect,
  nkeyAuthenticator,
} from '@nats-io/transport-node';

export interface NatsConnectOptions {
  /** One address or several of a cluster, separated by commas; with `tls://` in one of them, none is used without TLS. */
  url: string;
  /** The service that connects: its name for operators and its inbox. */
  service: string;
  /** Proves who connects; none for a server that asks nobody. */
  nkeySeed?: string | undefined;
  /** Certificates that the server's has to be issued by, instead of the well-known ones; none is used without TLS then. */
  caFile?: string | undefined;
  /** The certificate that a server is shown who asks for one, and its key. */
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** Also what a handshake costs whose connection is closed in the middle of it: the client goes on waiting for an answer. */
const handshakeTimeoutMs = 3_000;
const reconnectPauseMs = 200;
/** A server that hangs is left after two of these without an answer. */
const pingIntervalMs = 2_000;

/** Replies come here; nobody else may listen there. */
export function inboxPrefix(service: string): string {
  return `_INBOX.${service}`;
}

/** A server that is busy starting closes connections whose handshake takes it too long. */
const attempts = 3;

/**
 * Connects, and reconnects for as long as it takes.
 *
 * @throws OAuthError `temporarily_unavailable` when there is no answer, at the third attempt, or a refusal
 */
export async function connectNats(options: NatsConnectOptions): Promise<NatsConnection> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect(connectionOptions(options));
    } catch (cause) {
      if (!(cause instanceof TimeoutError) || attempt === attempts)
        throw new OAuthError('temporarily_unavailable', 'NATS cannot be reached', { cause });
    }
  }
}

function connectionOptions(options: NatsConnectOptions): ConnectionOptions {
  const { url, service, nkeySeed } = options;
  return {
    servers: url.split(','),
    name: service,
    inboxPrefix: inboxPrefix(service),
    timeout: handshakeTimeoutMs,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: pauses(),
    // Two refusals in a row may be a server that has not read its accounts yet.
    ignoreAuthErrorAbort: true,
    pingInterval: pingIntervalMs,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(nkeySeed !== undefined && { authenticator: nkeyAuthenticator(new TextEncoder().encode(nkeySeed)) }),
    ...tlsOptions(options),
  };
}

/**
 * The client asks for TLS where it has options for it, and otherwise does as the server says. The attack: who stands in
 * between says that there is none, and is told everything.
 */
function tlsOptions({ url, caFile, certFile, keyFile }: NatsConnectOptions): Pick<ConnectionOptions, 'tls'> {
  if (caFile === undefined && certFile === undefined && !url.includes('tls://')) return {};
  const files = {
    ...(caFile !== undefined && { caFile }),
    ...(certFile && keyFile && { certFile, keyFile }),
  };
  return { tls: { ...files, ...checksIdentity(url) } };
}

/** The client names no server that is addressed by number, and Node then takes it for localhost. */
function checksIdentity(url: string) {
  const hosts = url.split(',').map((one) => new URL(one).hostname.replace(/^\[|\]$/g, ''));
  const numbers = hosts.filter((host) => isIP(host) !== 0);
  return {
    checkServerIdentity: (name: string, certificate: PeerCertificate): Error | undefined => {
      const isUnnamed = name === 'localhost' && !hosts.includes(name);
      const faults = (isUnnamed ? numbers : [name]).map((one) => checkServerIdentity(one, certificate));
      return faults.includes(undefined) ? undefined : (faults[0] ?? checkServerIdentity(name, certificate));
    },
  };
}

/**
 * How long to wait before the next attempt, by a clock that nobody sets: the client compares times of day, and where
 * that was set back by minutes it would not try again for as many. Less than any time: now.
 */
function pauses(): () => number {
  let nextAtMs = 0;
  return () => {
    const nowMs = performance.now();
    if (nowMs < nextAtMs) return nextAtMs - nowMs;
    nextAtMs = nowMs + reconnectPauseMs * (1 + Math.random());
    return -Infinity;
  };
}
