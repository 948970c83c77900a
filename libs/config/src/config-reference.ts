import { z } from 'zod';
import { configSchema } from './config-schema.js';

interface Node {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Node>;
  required?: string[];
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
  additionalProperties?: Node | boolean;
}

/**
 * The configuration reference as Markdown, one row a setting, made from the schema: `docs/configuration.md` is this
 * text, and a test holds the two together.
 */
export function configReference(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Node;
  const rows = describeObject(schema, '');
  return [
    '# Configuration reference',
    '',
    'One YAML file, named by `BEHALF_CONFIG`; without it `deploy/demo/behalf.yaml`. Unknown settings are errors, and all errors are',
    'reported together, by name and never by value. Secrets are not written into the file: `…Env` names the environment variable',
    'that holds one. This page is generated from the schema by `npm run docs`.',
    '',
    '`<name>` stands for a key you choose, `[]` for each entry of a list.',
    '',
    '| setting | type | default | what it does |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    '## Environment',
    '',
    '| variable | what it does |',
    '| --- | --- |',
    '| `BEHALF_CONFIG` | the configuration file |',
    '| `BEHALF_SEALING_KEY` | base64 of 32 bytes: seals secrets at rest; without it `sealing.key` in the data folder, made at the first start |',
    '| `NODE_ENV=production` | refuses everything that is only for the demo or for development |',
    '| `OTEL_EXPORTER_OTLP_ENDPOINT` | where traces go when the file names no `otlpEndpoint` |',
    '',
  ].join('\n');
}

function describeObject(node: Node, prefix: string): string[] {
  const variants = (node.oneOf ?? node.anyOf ?? []).filter((variant) => variant.properties);
  const described = Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    describeSetting(child, `${prefix}${key}`, node.required?.includes(key) ?? false),
  );
  return [...described, ...variants.flatMap((variant) => describeVariant(variant, prefix))];
}

/** A variant is told apart by a constant, such as `transport: stdio`. */
function describeVariant(variant: Node, prefix: string): string[] {
  const [key, constant] =
    Object.entries(variant.properties ?? {}).find(([, child]) => child.const !== undefined) ?? [];
  if (key === undefined) return describeObject(variant, prefix);
  const rest = Object.fromEntries(Object.entries(variant.properties ?? {}).filter(([name]) => name !== key));
  const title = row(
    `${prefix}${key}: ${String(constant?.const)}`,
    'variant',
    '',
    constant?.description ?? '',
  );
  return [title, ...describeObject({ ...variant, properties: rest }, prefix)];
}

function describeSetting(node: Node, path: string, required: boolean): string[] {
  const hasChildren = Boolean(node.properties || node.oneOf?.some((one) => one.properties));
  if (hasChildren) {
    const own = node.description ? [row(path, 'object', '', node.description)] : [];
    return [...own, ...describeObject(node, `${path}.`)];
  }
  const values = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
  if (values?.properties || values?.oneOf) return describeSetting(values, `${path}.<name>`, required);
  if (node.items?.properties || node.items?.oneOf) {
    const own = node.description ? [row(path, 'list', '', node.description)] : [];
    return [...own, ...describeSetting(node.items, `${path}[]`, required)];
  }
  return [row(path, typeOf(node), defaultOf(node, required), node.description ?? '')];
}

function typeOf(node: Node): string {
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.type === 'array') return `list of ${typeOf(node.items ?? {})}`;
  if (node.type === 'object') return 'map';
  return node.type ?? 'any';
}

function defaultOf(node: Node, required: boolean): string {
  if (node.default !== undefined) return `\`${JSON.stringify(node.default)}\``;
  return required ? '**required**' : '';
}

function row(...cells: string[]): string {
  const [path = '', ...rest] = cells;
  return `| \`${path}\` | ${rest.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
