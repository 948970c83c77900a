/** One line of what a service tells Prometheus. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

const sampleLine = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/;
const label = /(\w+)="((?:\\.|[^"\\])*)"/g;

/** Everything that is measured at a port now, as Prometheus reads it. */
export async function readMetrics(port: number): Promise<Sample[]> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const { name = '', labels = '', value } = sampleLine.exec(line)?.groups ?? {};
      if (name === '') throw new Error(`not a sample: ${line}`);
      // The scope says which library counts: all of ours is one.
      const { otel_scope_name: _scope, ...ours } = Object.fromEntries(
        [...labels.matchAll(label)].map(([, key, is]) => [key!, is!]),
      );
      return { name, labels: ours, value: value === '+Inf' ? Infinity : Number(value) };
    });
}

/** The sum of the samples of that name that have all of these labels; undefined where there are none. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}
