import type { FetchDocument } from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';

export interface AuthorizationServerOptions {
  config: BehalfConfig;
  /** Fetches documents that strangers name. */
  fetch: FetchDocument;
  environment: Readonly<Record<string, string | undefined>>;
  /** The time that all replicas share. */
  databaseTimeMs: (() => Promise<number>) | undefined;
}
