import { globSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { documentedMetrics, sampleNames } from './documented-metrics.fixture.js';

const instrument =
  /create(Histogram|Counter|UpDownCounter|ObservableGauge|ObservableCounter|Gauge)\(\s*'([^']+)'|(durationHistogram)\(\s*'([^']+)'/g;
const dashboard = JSON.parse(readFileSync('deploy/observability/grafana/behalf.json', 'utf8')) as {
  panels: {
    title: string;
    datasource: { uid: string };
    targets: { expr: string; legendFormat: string }[];
  }[];
};
const alerts = parse(readFileSync('deploy/observability/alerts.yaml', 'utf8')) as {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
};

/** Each query with the labels that the text beside it takes from its answer. */
const queries = [
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(
      ({ expr, legendFormat }) => [title, expr, namesIn(legendFormat, /\{\{\s*(\w+)\s*\}\}/g)] as const,
    ),
  ),
  ...alerts.groups.flatMap(({ rules }) =>
    rules.map(
      ({ alert, expr, annotations }) =>
        [alert, expr, namesIn(annotations.summary, /\$labels\.(\w+)/g)] as const,
    ),
  ),
];

/** Prometheus makes these itself, for everything that it reads. */
const ofPrometheus = { metrics: new Map([['up', ['job', 'instance']]]), labels: ['job', 'instance'] };
const operators = new Set(['by', 'without', 'on', 'ignoring', 'and', 'or', 'unless', 'bool', 'offset']);

const documented = documentedMetrics();
/** The labels of each name that can be asked for. */
const known = new Map([
  ...ofPrometheus.metrics,
  ...documented.flatMap((metric) =>
    sampleNames(metric).map((name): [string, string[]] => [
      name,
      [...metric.labels, ...ofPrometheus.labels, ...(name.endsWith('_bucket') ? ['le'] : [])],
    ]),
  ),
]);

function namesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name]) => name!);
}

/** The metrics of an expression in PromQL, the labels it chooses by, and those that are left in its answer. */
function readQuery(expression: string): { metrics: string[]; labels: string[]; left: string[] } {
  const bare = expression.replaceAll(/"(?:\\.|[^"\\])*"/g, '""');
  const lists = /\b(?:by|on)\s*\(([^)]*)\)/g;
  const left = namesIn(bare, lists).flatMap((list) => list.split(',').map((name) => name.trim()));
  const matchers = /\{([^}]*)\}/g;
  const matched = namesIn(bare, matchers).flatMap((list) => namesIn(list, /(\w+)\s*(?:=~|!~|!=|=)/g));
  const rest = bare
    .replaceAll(lists, '')
    .replaceAll(matchers, '')
    .replaceAll(/\[[^\]]*\]/g, '');
  const metrics = namesIn(rest, /\b([a-zA-Z_]\w*)\b(?!\s*\()/g).filter((name) => !operators.has(name));
  return { metrics, labels: [...left, ...matched], left };
}

it.each(queries)('%s asks for what is measured, by labels that it has', (_title, query, told) => {
  const { metrics, labels, left } = readQuery(query);
  expect(metrics).not.toEqual([]);
  for (const metric of metrics) {
    expect([...known.keys()]).toContain(metric);
    for (const label of labels) expect(known.get(metric)).toContain(label);
  }
  const isWhole = left.length === 0 && !/\b(?:max|min|sum|avg|count)\b/.test(query);
  for (const label of told) expect(isWhole ? known.get(metrics[0]!) : left).toContain(label);
});

it('reads PromQL well enough to see a wrong name', () => {
  expect(
    readQuery('sum by (a, b) (rate(x_total{c=~"y_total",d!="{"}[5m])) / on (a) max(z) > 0.05 unless w'),
  ).toEqual({
    metrics: ['x_total', 'z', 'w'],
    labels: ['a', 'b', 'a', 'c', 'd'],
    left: ['a', 'b', 'a'],
  });
});

it('documents every metric that the sources measure, and no other', () => {
  const measured = globSync(['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts'])
    .filter((file) => !/\.(?:spec|fixture)\.ts$/.test(file))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(instrument)].map(([, made, name, timed, timedName]) => {
        const prometheus = (name ?? timedName ?? '').replaceAll('.', '_');
        if (timed !== undefined || made === 'Histogram') return `histogram ${prometheus}`;
        return made === 'Counter' ? `counter ${prometheus}_total` : `gauge ${prometheus}`;
      }),
    );
  const expected = documented.map(({ name, kind }) => `${kind} ${name}`);
  expect(measured.toSorted()).toEqual(expected.toSorted());
});

it('shows on the dashboard, or watches, everything that is documented, from the data source that is provisioned', () => {
  const asked = queries.flatMap(([, query]) => readQuery(query).metrics);
  const unseen = documented.filter((metric) => !sampleNames(metric).some((name) => asked.includes(name)));
  expect(unseen.map(({ name }) => name)).toEqual([]);
  const { datasources } = parse(readFileSync('deploy/observability/grafana/datasources.yaml', 'utf8')) as {
    datasources: { uid: string }[];
  };
  for (const { datasource } of dashboard.panels)
    expect(datasources.map(({ uid }) => uid)).toContain(datasource.uid);
});
