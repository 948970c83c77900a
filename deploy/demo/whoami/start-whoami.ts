import { serveProtectedMcp } from '../protected-mcp.js';
import type { TrustedIssuer } from '../verify-access-token.js';
import { whoamiServer } from './whoami-server.js';

export interface WhoamiOptions extends TrustedIssuer {
  port: number;
  host?: string;
}

export function startWhoami(options: WhoamiOptions): Promise<{ close(): Promise<void> }> {
  return serveProtectedMcp({ ...options, name: 'Who am I' }, whoamiServer);
}
