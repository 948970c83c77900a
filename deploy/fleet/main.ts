import { loadConfig, runUntilSignal } from '@behalf/service-kit';
import { fileURLToPath } from 'node:url';
import { settingsOf, startFleet } from './start-fleet.js';

// `npm run services`: the four services as processes of their own, on the NATS, Redis and PostgreSQL that NATS_URL,
// REDIS_URL and DATABASE_URL name, or on ones that are started here. BEHALF_REPLICAS of each, 1 without it.
const configFiles = process.env['BEHALF_CONFIG'] ?? 'deploy/demo/behalf.yaml';
const replicas = Number(process.env['BEHALF_REPLICAS'] ?? '1');

await runUntilSignal(async () => {
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 16)
    throw new Error('BEHALF_REPLICAS must be a number from 1 to 16');
  const config = loadConfig(configFiles);
  const fleet = await startFleet({
    config,
    configFiles,
    dist: fileURLToPath(new URL('../..', import.meta.url)),
    replicas,
    onLine: (_service, line) => process.stderr.write(`${line}\n`),
  });
  const started = (name: 'nats' | 'redis' | 'postgres'): string =>
    fleet.servers[name] ? `started here, port ${fleet.servers[name].port}` : 'from the environment';
  console.log(`
Behalf is ready: ${replicas} of each service.

${Object.entries(settingsOf)
  .map(([name, key]) => `  ${name.padEnd(22)}http://${config[key].listen.host}:${config[key].listen.port}`)
  .join('\n')}
  ${'NATS'.padEnd(22)}${started('nats')}
  ${'Redis'.padEnd(22)}${started('redis')}
  ${'PostgreSQL'.padEnd(22)}${started('postgres')}

Ctrl-C stops it; the data stays in ${config.dataFolder}.
`);
  return fleet;
}, 20_000);
