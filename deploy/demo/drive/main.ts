import { startDrive } from './start-drive.js';
import { startDriveServer } from './drive-server.js';

// Two programs that would be far apart, a third party and an MCP server that uses it, so that `npm start` has both.
const {
  PORT = '4011',
  HOST = '127.0.0.1',
  ISSUER,
  RESOURCE,
  JWKS_URI,
  DRIVE_ISSUER,
  REDIRECT_URI,
} = process.env;
if (!ISSUER || !RESOURCE || !JWKS_URI || !DRIVE_ISSUER || !REDIRECT_URI)
  throw new Error('ISSUER, RESOURCE, JWKS_URI, DRIVE_ISSUER and REDIRECT_URI must be set');

const drive = await startDrive({
  host: HOST,
  issuer: DRIVE_ISSUER,
  redirectUri: REDIRECT_URI,
  clientSecret: 'behalf-at-drive',
});
const server = await startDriveServer({
  port: Number(PORT),
  host: HOST,
  issuer: ISSUER,
  resource: RESOURCE,
  jwksUri: JWKS_URI,
  clientId: 'demo-drive-server',
  clientSecret: 'demo-drive-server-secret',
  api: `${DRIVE_ISSUER}/api`,
});
const close = async (): Promise<void> => {
  await server.close();
  await drive.close();
  process.exit(0);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close());
// A supervisor that closes our input wants us to end, or has gone itself.
process.stdin.resume().once('end', () => void close());
