import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { makeSpans } from './tracing.js';

export interface TracingOptions {
  serviceName: string;
  /** OTLP/HTTP base URL, e.g. http://collector:4318. Without it nothing is exported. */
  otlpEndpoint?: string | undefined;
  /** Takes the place of the exporter, for tests. */
  spanProcessor?: SpanProcessor;
}

export interface Tracing {
  /** Flushes what is buffered. */
  stop(): Promise<void>;
}

/** Turns tracing on for this process; without an endpoint or processor it stays off and costs nothing. */
export function startTracing(options: TracingOptions): Tracing {
  const processor =
    options.spanProcessor ??
    (options.otlpEndpoint === undefined
      ? undefined
      : new BatchSpanProcessor({
          exporter: new OTLPTraceExporter({ url: new URL('/v1/traces', options.otlpEndpoint).href }),
        }));
  if (processor === undefined) return { stop: async () => {} };

  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.serviceName }),
    spanProcessors: [processor],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  makeSpans();
  return { stop: () => provider.shutdown() };
}
