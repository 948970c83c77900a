import { InvalidEvaluation } from './invalid-evaluation.js';
import { resolveSchema } from './resolve-schema.js';
import type { NumberForm } from './type-arguments.js';

export interface ToolSchema {
  server: string;
  name: string;
  inputSchema: unknown;
}

export interface GeneratedTypes {
  /** `type Arguments = {...};` in Cedar's schema language. */
  text: string;
  /** Arguments without a Cedar type, which policies can therefore not read. */
  omitted: { tool: string; argument: string; reason: string }[];
}

class NoCedarType extends Error {
  override readonly name = 'NoCedarType';
}
const reserved = new Set(['__entity', '__extn', '__expr', '__cedar']);
const maxDepth = 16;

/**
 * Writes the Cedar type `Arguments` for a set of tools: every argument of every tool, all optional, because one action
 * covers all tools. Tools are entities and their names only ever ids, so any legal name will do (`get-weather`, `a/b`,
 * `if`). An argument that two tools give different types, or whose schema allows several, has no type of its own and
 * is reported instead of guessed.
 */
export function generateArgumentTypes(tools: ToolSchema[], numbers: NumberForm = 'byValue'): GeneratedTypes {
  const types = new Map<string, { type: string; tool: string }>();
  const omitted: GeneratedTypes['omitted'] = [];
  const conflicting = new Set<string>();
  for (const { server, name, inputSchema } of tools) {
    const tool = `${server}/${name}`;
    for (const [argument, schema] of propertiesOf(inputSchema)) {
      try {
        if (reserved.has(argument) || !argument.isWellFormed()) throw new NoCedarType('the name is reserved');
        const type = typeOf(schema, inputSchema, numbers, 0);
        const seen = types.get(argument);
        if (seen !== undefined && seen.type !== type) {
          conflicting.add(argument);
          throw new NoCedarType(`${seen.tool} takes it as ${seen.type}`);
        }
        types.set(argument, { type, tool });
      } catch (error) {
        if (!(error instanceof NoCedarType) && !(error instanceof InvalidEvaluation)) throw error;
        omitted.push({ tool, argument, reason: error.message });
      }
    }
  }
  const lines = [...types]
    .filter(([argument]) => !conflicting.has(argument))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([argument, { type }]) => `  ${cedarString(argument)}?: ${type},\n`);
  return { text: `type Arguments = {\n${lines.join('')}};\n`, omitted };
}

function propertiesOf(schema: unknown): [string, unknown][] {
  return isObject(schema) && isObject(schema['properties']) ? Object.entries(schema['properties']) : [];
}

function typeOf(schema: unknown, root: unknown, numbers: NumberForm, depth: number): string {
  if (depth > maxDepth) throw new NoCedarType('nested too deeply');
  const node = resolveSchema(schema, root, 'inputSchema');
  if (typeof node === 'boolean') throw new NoCedarType('anything, or nothing, goes');
  const alternatives = [node['anyOf'], node['oneOf']].flatMap((one) => (Array.isArray(one) ? one : []));
  if (alternatives.length > 0)
    return onlyOne(alternatives.filter(isNotNull).map((one) => typeOf(one, root, numbers, depth + 1)));
  const declared = Array.isArray(node['type']) ? node['type'] : [node['type'] ?? typeOfValues(node)];
  return onlyOne(
    declared
      .filter((type) => type !== 'null')
      .map((type: unknown) => typeOfOne(type, node, root, numbers, depth)),
  );
}

function typeOfOne(
  type: unknown,
  node: Record<string, unknown>,
  root: unknown,
  numbers: NumberForm,
  depth: number,
) {
  if (type === 'string') return 'String';
  if (type === 'boolean') return 'Bool';
  if (type === 'integer') return 'Long';
  if (type === 'number') return numbers === 'decimal' ? 'decimal' : 'Long';
  if (type === 'array') return `Set<${typeOf(node['items'] ?? true, root, numbers, depth + 1)}>`;
  if (type !== 'object') throw new NoCedarType('no type is named');
  const members = propertiesOf(node).map(
    ([name, member]) => `${cedarString(name)}?: ${typeOf(member, root, numbers, depth + 1)}`,
  );
  return `{ ${members.join(', ')} }`;
}

/** An enumeration without a type has that of its values. */
function typeOfValues(node: Record<string, unknown>): unknown {
  const values: unknown[] = Array.isArray(node['enum'])
    ? node['enum']
    : 'const' in node
      ? [node['const']]
      : [];
  const types = [...new Set(values.filter((one) => one !== null).map((one) => typeof one))];
  return types.length === 1 ? types[0] : undefined;
}

function onlyOne(types: string[]): string {
  const [type, ...others] = new Set(types);
  if (type === undefined || others.length > 0) throw new NoCedarType('several types are allowed');
  return type;
}

function isNotNull(schema: unknown): boolean {
  return !(isObject(schema) && schema['type'] === 'null');
}

/** Cedar's escapes: whatever is not plain ASCII is written by its number, so that no name can leave its quotes. */
export function cedarString(text: string): string {
  const escaped = text.replaceAll(
    /[^A-Za-z0-9 _.,:;/@#%&=+*?!()[\]{}<>~^|$-]/gu,
    (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
  return `"${escaped}"`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
