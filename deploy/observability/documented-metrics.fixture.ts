import { readFileSync } from 'node:fs';
import { type ServiceName, serviceNames } from '@behalf/contracts';

export interface DocumentedMetric {
  name: string;
  kind: 'counter' | 'gauge' | 'histogram';
  labels: string[];
  services: readonly ServiceName[];
}

const row =
  /^\| `(?<name>[a-z0-9_]+)` +\| (?<kind>counter|gauge|histogram) +\| (?<labels>[^|]+)\| (?<services>[^|]+)\|/gm;

/** The table of metrics in docs/operations.md. */
export function documentedMetrics(): DocumentedMetric[] {
  const page = readFileSync('docs/operations.md', 'utf8');
  return [...page.matchAll(row)].map(({ groups }) => {
    const { name = '', kind = '', labels = '', services = '' } = groups ?? {};
    return {
      name,
      kind: kind as DocumentedMetric['kind'],
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, one]) => one!),
      services:
        services.trim() === 'all' ? serviceNames : serviceNames.filter((one) => services.includes(one)),
    };
  });
}

/** What one reads of it: a histogram has three names. */
export function sampleNames({ name, kind }: DocumentedMetric): string[] {
  return kind === 'histogram' ? ['_bucket', '_count', '_sum'].map((suffix) => name + suffix) : [name];
}
