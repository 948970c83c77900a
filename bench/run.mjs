// npm run bench [-- exchange|gateway]: everything is measured in one run, so the ratios hold where the figures do not.
import { benchExchange } from './exchange.mjs';
import { benchGateway } from './gateway.mjs';
import { startSystem } from './system.mjs';

const suites = { exchange: benchExchange, gateway: benchGateway };
const wanted = process.argv.slice(2).filter((name) => name in suites);

const system = await startSystem();
try {
  console.log(`Memory of the process at rest: ${system.memory().toFixed(0)} MiB`);
  for (const name of wanted.length > 0 ? wanted : Object.keys(suites)) await suites[name](system);
  console.log(`\nMemory of the process after the load: ${system.memory().toFixed(0)} MiB`);
} finally {
  await system.stop();
}
process.exit(0);
