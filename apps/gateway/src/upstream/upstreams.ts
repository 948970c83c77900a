import type { Clock } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import type { GatewaySettings } from '../config.js';
import { SessionBinding } from '../enforcement/session-binding.js';
import type { ToolDefinitions } from '../enforcement/tool-definitions.js';
import { HttpUpstream } from './http-upstream.js';
import { StdioUpstream } from './stdio-upstream.js';
import type { TokenExchanger } from './token-exchanger.js';
import type { Upstream } from './upstream.js';

export const UPSTREAMS = Symbol('UPSTREAMS');
export type Upstreams = ReadonlyMap<string, Upstream>;

/** Every configured upstream, not yet started. */
export function buildUpstreams(
  settings: GatewaySettings,
  exchanger: TokenExchanger,
  tools: ToolDefinitions,
  clock: Clock,
  logger: Logger,
): Upstreams {
  const sessions = new SessionBinding(settings.sharedSecret('upstream sessions'));
  return new Map(
    [...settings.upstreams.values()].map(({ name, config }): [string, Upstream] => {
      const log = logger.child({ upstream: name });
      return [
        name,
        config.transport === 'stdio'
          ? new StdioUpstream(name, config, config.timeoutMs, tools, log)
          : new HttpUpstream({ name, config, exchanger, sessions, clock, logger: log }),
      ];
    }),
  );
}
