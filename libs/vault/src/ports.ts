import type { ProviderTokens } from '@behalf/third-party';
import type { Connection } from './connection.js';

/** What the person agreed to, with the tokens that came of it. */
export interface NewConnection {
  readonly owner: string;
  readonly tenant: string;
  readonly providerId: string;
  readonly resource: string;
  readonly tokens: ProviderTokens;
}

/** A credential, opened for one use. To be handed on or injected, and not kept beyond `expiresAtMs`. */
export interface OpenedCredential {
  readonly connectionId: string;
  readonly credentialVersion: number;
  readonly accessToken: string;
  /** How it is sent: `authorization: Bearer ...` for tokens, whatever the provider wants for keys that people entered. */
  readonly header: string;
  readonly prefix: string;
  /** Undefined: until the provider refuses it. */
  readonly expiresAtMs: number | undefined;
  readonly scopes: readonly string[];
}

/** The vault as its service uses it. */
export interface Vault {
  /** Seals and stores; what was there for the same person and resource is replaced. Only after consent. */
  storeConnection(connection: NewConnection): Promise<Connection>;
  /** Whether what it would replace is of another account, as far as the provider tells accounts apart. */
  replacesAnother(connection: NewConnection): Promise<boolean>;
  /**
   * Opens the access token of the connection that a decision grant names, once; refreshed first when its time is near.
   *
   * @throws VaultError
   */
  openForUse(decisionGrant: string): Promise<OpenedCredential>;
  /** Ends a connection here and at the provider. Undefined when this person has no such connection. */
  disconnect(connectionId: string, owner: string): Promise<Disconnected | undefined>;
  /** All connections of a person, working or not. */
  list(owner: string): Promise<Connection[]>;
  /** The one connection of a person to a resource, if there is one. Opens nothing. */
  find(owner: string, resource: string): Promise<Connection | undefined>;
  /** A provider refused this version of the credential: it is refreshed before its next use, or given up. */
  reportRefused(connectionId: string, credentialVersion: number): Promise<void>;
  /** The provider said that the grant is over. False when there was nothing to end. */
  endByProvider(connectionId: string): Promise<boolean>;
  /** The same for all that stands on one account there, by the id that the provider knows it by. @returns how many */
  endByAccount(providerId: string, accountId: string): Promise<number>;
  /** What the provider calls the account: personal data, for its owner's eyes only. */
  accountOf(connectionId: string, owner: string): Promise<string | undefined>;
}

export interface Disconnected {
  readonly connection: Connection;
  /** `failed`: it is ended here, and the provider could not be told yet; it is tried again. */
  readonly atProvider: 'revoked' | 'unsupported' | 'failed';
}
