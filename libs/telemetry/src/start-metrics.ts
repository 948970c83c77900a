import { monitorEventLoopDelay } from 'node:perf_hooks';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { attributes } from './attributes.js';

export interface MetricsOptions {
  serviceName: string;
  /** Where Prometheus reads, at `/metrics`; a port of its own, so that the public one does not tell. */
  host: string;
  port: number;
}

const nanosPerSecond = 1e9;

/** Turns metrics on for this process. Until it is called, and where it is not, recording costs nothing. */
export async function startMetrics({
  serviceName,
  host,
  port,
}: MetricsOptions): Promise<{ stop(): Promise<void> }> {
  const exporter = new PrometheusExporter({ host, port, preventServerStart: true });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ [attributes.serviceName]: serviceName }),
    readers: [exporter],
  });
  await exporter.startServer();
  metrics.setGlobalMeterProvider(provider);
  const delay = monitorEventLoopDelay();
  delay.enable();
  metrics
    .getMeter('behalf')
    .createObservableGauge('behalf.event_loop.delay.p99', {
      description: 'How late timers ran since the last reading',
      unit: 's',
    })
    .addCallback((result) => {
      result.observe(delay.percentile(99) / nanosPerSecond, { [attributes.serviceName]: serviceName });
      delay.reset();
    });
  return {
    stop: async () => {
      delay.disable();
      await provider.shutdown();
      metrics.disable();
    },
  };
}
