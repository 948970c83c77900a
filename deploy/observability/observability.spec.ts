import { globSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

const instrument =
  /(?:create(?:Histogram|Counter|UpDownCounter|ObservableGauge)|durationHistogram)\(\s*'([^']+)'/g;
const known = globSync(['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts']).flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(instrument)].map(([, name]) => name!.replaceAll('.', '_')),
);
const dashboard = JSON.parse(readFileSync('deploy/observability/grafana/behalf.json', 'utf8')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};
const alerts = parse(readFileSync('deploy/observability/alerts.yaml', 'utf8')) as {
  groups: { rules: { alert: string; expr: string }[] }[];
};
const queries = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as const)),
];

it.each(queries)('%s asks for what services measure', (_title, query) => {
  // Without the names of labels.
  const metrics = query.replace(/\{[^}]*\}|by \([^)]*\)/g, '').match(/\b(?:behalf|http)_[a-z0-9_]+/g) ?? [];
  if (!query.startsWith('up{')) expect(metrics).not.toEqual([]);
  for (const name of metrics) expect(known).toContain(name.replace(/_(?:bucket|count|sum|total)$/, ''));
});
