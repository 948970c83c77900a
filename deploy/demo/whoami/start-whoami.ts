import type { TrustedIssuer } from './verify-access-token.js';
import { createWhoamiServer } from './whoami-server.js';

export interface WhoamiOptions extends TrustedIssuer {
  port: number;
  host?: string;
}

/** Starts the server; closing ends its open streams too. */
export async function startWhoami({
  port,
  host = '127.0.0.1',
  ...trusted
}: WhoamiOptions): Promise<{ close(): Promise<void> }> {
  const server = createWhoamiServer(trusted);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
