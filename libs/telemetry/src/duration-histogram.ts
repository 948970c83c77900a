import { type Histogram, metrics } from '@opentelemetry/api';

/** Seconds. The library's own bounds are for milliseconds: all that a service does would be in the first of them. */
const boundsOfSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/**
 * How long something takes, in seconds.
 *
 * @see OpenTelemetry semantic conventions, http.server.request.duration
 */
export function durationHistogram(name: string, description: string): Histogram {
  return metrics.getMeter('behalf').createHistogram(name, {
    description,
    unit: 's',
    advice: { explicitBucketBoundaries: boundsOfSeconds },
  });
}
