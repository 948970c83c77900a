/** Span names and attributes, the tracer, and W3C propagation through any carrier. Exporting is set up by the apps. */
export { attributes } from './attributes.js';
export {
  activeTraceId,
  inSpan,
  injectTraceContext,
  isTracing,
  linkActiveSpan,
  withTraceContext,
  type TraceCarrier,
} from './tracing.js';
export { durationHistogram } from './duration-histogram.js';
export { startTracing, type TracingOptions, type Tracing } from './start-tracing.js';
export { type MetricsOptions, startMetrics } from './start-metrics.js';
