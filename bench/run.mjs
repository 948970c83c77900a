// npm run bench [-- exchange|fleet|gateway|policy|vault]: everything is measured in one run, so the ratios hold where the figures do not.
import { benchExchange, prepareExchange } from './exchange.mjs';
import { benchFleet } from './fleet.mjs';
import { benchGateway } from './gateway.mjs';
import { benchPolicy } from './policy/run.mjs';
import { startSystem } from './system.mjs';
import { benchVault } from './vault.mjs';

const suites = { exchange: benchExchange, gateway: benchGateway, vault: benchVault };
// The policy suite starts servers of its own, beside Cerbos, and does without the rest of the system.
if (process.argv.includes('policy')) {
  await benchPolicy(process.argv.slice(2).filter((name) => name !== 'policy'));
  process.exit(0);
}

// So does this one, and each shape of the system.
if (process.argv.includes('fleet')) {
  await benchFleet();
  process.exit(0);
}

const wanted = process.argv.slice(2).filter((name) => name in suites);

const system = await startSystem(prepareExchange);
try {
  console.log(`Memory of the process at rest: ${system.memory().toFixed(0)} MiB`);
  for (const name of wanted.length > 0 ? wanted : Object.keys(suites)) await suites[name](system);
  console.log(`\nMemory of the process after the load: ${system.memory().toFixed(0)} MiB`);
} finally {
  await system.stop();
}
process.exit(0);
