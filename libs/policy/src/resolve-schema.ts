import { InvalidEvaluation } from './invalid-evaluation.js';

const maxReferences = 16;

/**
 * A JSON Schema node after its `$ref`s: an object, or true or false for a boolean schema. Only references within the
 * document are followed; one to elsewhere would make us fetch what a stranger names.
 *
 * @throws InvalidEvaluation for a reference that leads nowhere, out, or round in circles
 */
export function resolveSchema(
  schema: unknown,
  root: unknown,
  path: string,
): Record<string, unknown> | boolean {
  let node = schema;
  for (let followed = 0; followed <= maxReferences; followed++) {
    if (node === undefined) return true;
    if (typeof node === 'boolean') return node;
    if (!isObject(node)) throw new InvalidEvaluation(path, 'the schema is malformed');
    const reference = node['$ref'];
    if (reference === undefined) return node;
    node = follow(reference, root, path);
  }
  throw new InvalidEvaluation(path, 'the schema refers to itself');
}

/** @see RFC 6901 */
function follow(reference: unknown, root: unknown, path: string): unknown {
  if (typeof reference !== 'string' || !/^#(\/|$)/.test(reference))
    throw new InvalidEvaluation(path, 'the schema refers to another document');
  let node: unknown = root;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isContainer(node) || !Object.hasOwn(node, name))
      throw new InvalidEvaluation(path, 'the schema refers to nothing');
    node = (node as Record<string, unknown>)[name];
  }
  return node;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isContainer(value) && !Array.isArray(value);
}
