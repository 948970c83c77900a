import { startWhoami } from './start-whoami.js';

const { PORT = '4010', HOST, ISSUER, RESOURCE, JWKS_URI } = process.env;
if (!ISSUER || !RESOURCE || !JWKS_URI) throw new Error('ISSUER, RESOURCE and JWKS_URI must be set');

const running = await startWhoami({
  port: Number(PORT),
  ...(HOST !== undefined && { host: HOST }),
  issuer: ISSUER,
  resource: RESOURCE,
  jwksUri: JWKS_URI,
});
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void running.close().then(() => process.exit(0)));
// A supervisor that closes our input wants us to end, or has gone itself.
process.stdin.resume().once('end', () => void running.close().then(() => process.exit(0)));
