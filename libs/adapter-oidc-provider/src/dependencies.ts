import type { X509Certificate } from 'node:crypto';
import type { AuditRecord } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import type { ClientCertificates } from '@behalf/client-certificate';
import type { Page } from '@behalf/pages';
import type { Clock, OneTimeStore, RecordStore } from '@behalf/ports';
import type { IssuerKeySets } from '@behalf/trusted-issuers';
import type { JWTVerifyGetKey } from 'jose';
import type { JWK } from 'oidc-provider';
import type { ExchangePorts } from './register-token-exchange.js';
import type { ResourceRegistry } from './resource-registry.js';

export type FetchDocument = (url: string | URL, options?: RequestInit) => Promise<Response>;

export interface ProviderDependencies {
  config: BehalfConfig;
  records: RecordStore;
  /** Remembers what may be used once: the `jti` of assertions and proofs. */
  oneTime: OneTimeStore;
  clock: Clock;
  resources: ResourceRegistry;
  /** The private keys that sign. */
  signingKeys: JWK[];
  /** What the JWKS document holds: more than the keys above, since verifiers see keys before and after their time. */
  publicJwks: () => Promise<{ keys: object[] }>;
  verificationKeys: JWTVerifyGetKey;
  /** The keys of other issuers whose tokens are believed. */
  trustedKeys: IssuerKeySets;
  /** 32 bytes that nonces for DPoP proofs and attestations are derived from; the same in every process. */
  nonceSecret: Buffer;
  /** The certificates that clients present; `authorities` are who issues them for `tls_client_auth`. */
  certificates: ClientCertificates;
  authorities: readonly X509Certificate[];
  /** Signs cookies; the first one signs, all verify. */
  cookieKeys: string[];
  /** The secrets of a configured client that are good now; undefined for a client that has none or is not configured. */
  clientSecrets: (clientId: string) => readonly string[] | undefined;
  /** Counts one fetch of a document that a stranger named; false when its host had its share for now. */
  mayFetchFrom: (hostname: string) => Promise<boolean>;
  /** Fetches what a stranger named. Must refuse redirects, special-use addresses and large bodies. */
  fetch: FetchDocument;
  pages: {
    error: (error: { error: string; error_description?: string | undefined }) => Page;
    /** `form` is the library's form with the id `op.logoutForm`. */
    signOut: (form: string) => Page;
    signedOut: () => Page;
  };
  exchange: ExchangePorts;
  /** Counts a refresh of a grant. @returns seconds to wait when there were too many */
  tryRefresh: (grantId: string) => Promise<number | undefined>;
  audit: (record: Omit<AuditRecord, 'occurredAtMs'>) => Promise<void>;
  /** Told of faults that leave as `server_error`. */
  onServerError: (error: unknown) => void;
}
