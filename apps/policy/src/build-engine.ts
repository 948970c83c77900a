import { CedarWasmEngine, CompiledCedarEngine, ShadowedEngine } from '@behalf/adapter-cedar';
import type { PolicyEngine } from '@behalf/policy';
import type { Logger } from '@behalf/service-kit';
import { shadowSampling } from './config.js';

/**
 * The compiled engine decides, and cedar-wasm decides a sample again. A disagreement is an error in one of them that
 * somebody has to look at, so it is logged as one; the answer has left by then.
 */
export function buildEngine(logger: Logger): PolicyEngine {
  return new ShadowedEngine(new CompiledCedarEngine(), new CedarWasmEngine(), {
    ...shadowSampling,
    // A clock that can be set back would pause for ever, and one of milliseconds sees none pass.
    nowMs: () => performance.now(),
    onDisagreement: (disagreement) =>
      logger.error(disagreement, 'the policy engine and cedar-wasm disagree about a decision'),
  });
}
