import { activeTraceId } from '@behalf/telemetry';
import { type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on stderr, with the trace id. Whatever is called like a credential is blanked, should it ever get in. */
export function createLogger(service: string, level: string): Logger {
  return pino(
    {
      level,
      base: { service },
      mixin: () => {
        const traceId = activeTraceId();
        return traceId === undefined ? {} : { trace_id: traceId };
      },
      redact: {
        paths: [
          '*.access_token',
          '*.refresh_token',
          '*.subject_token',
          '*.actor_token',
          '*.client_secret',
          '*.password',
          '*.code',
          '*.authorization',
          '*.cookie',
          '*.headers',
        ],
        censor: '[redacted]',
      },
    },
    pino.destination(2),
  );
}
