import type { Clock, EventLog, RecordStore, Signer } from '@behalf/ports';

/** Somebody outside who may be told. */
export interface Receiver {
  clientId: string;
  /** `aud` of what it is told. */
  audience: string;
  /** Event types that it may ask for. */
  events: readonly string[];
  /** Whether it is told which person it is about. */
  namesPeople: boolean;
  /** Hosts that it may have signals pushed to, besides any public one over https. */
  internalHosts: readonly string[];
}

/** What a signal says beyond its event, looked up when it is made. */
export interface SignalFacts {
  findGrant(id: string): Promise<{ person: string; scopes: readonly string[] } | undefined>;
  findAgent(id: string): Promise<{ scopes: readonly string[]; credential: string } | undefined>;
}

export interface PushReply {
  status: number;
}

export interface TransmitterDependencies {
  issuer: string;
  /** Below it are the endpoints of the streams. */
  baseUrl: string;
  receivers: readonly Receiver[];
  /** Whether a new stream tells of everything, or of what its receiver names. */
  defaultSubjects: 'ALL' | 'NONE';
  records: RecordStore;
  events: EventLog;
  facts: SignalFacts;
  signer: Signer;
  clock: Clock;
  newId: () => string;
  /** Binds what is sealed to its stream. */
  seal(text: string, streamId: string): Promise<string>;
  open(sealed: string, streamId: string): Promise<string>;
  /** Whether a receiver may name this address at all; whether it is reached is seen then. */
  mayPushTo(url: string): boolean;
  /** POSTs to an address that a receiver named: guarded, bounded, never redirected. */
  push(
    url: string,
    request: { headers: Record<string, string>; body: string; internalHosts: readonly string[] },
  ): Promise<PushReply>;
  /** A number in [0, 1), for the spread of retries. */
  random: () => number;
  /** Told of what an operator should know. */
  onFault(what: string, error?: unknown): void;
}
