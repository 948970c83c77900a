const withheld = '[redacted]';
const maxDepth = 64;

/**
 * Removes fields from the result of an MCP request, for the obligation `redact`. A field is named by itself, wherever it
 * stands, or with the ones around it (`owner.email`); letter case does not count.
 *
 * Text that is JSON is redacted like the rest. Text that is not is withheld whole, and so are blobs, images and sound:
 * nobody can say whether the field is in them. Does not look for the values elsewhere, e.g. in a URI.
 */
export function redactResult<T extends Record<string, unknown>>(result: T, fields: readonly string[]): T {
  if (fields.length === 0) return result;
  const paths = fields.map((field) => field.toLowerCase().split('.'));
  return redactBlocks(redactNode(result, paths, [], 0), paths) as T;
}

type Paths = readonly (readonly string[])[];

function redactNode(node: unknown, paths: Paths, above: readonly string[], depth: number): unknown {
  if (depth > maxDepth) return withheld;
  if (Array.isArray(node)) return node.map((item) => redactNode(item, paths, above, depth + 1));
  if (!isObject(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) => {
      const here = [...above, name.toLowerCase()];
      return [
        name,
        paths.some((path) => endsWith(here, path)) ? withheld : redactNode(value, paths, here, depth + 1),
      ];
    }),
  );
}

/** The places of a result that hold text or bytes: `content` of a tool, `contents` of a resource, `messages` of a prompt. */
function redactBlocks(result: unknown, paths: Paths): unknown {
  if (!isObject(result)) return result;
  const changed: Record<string, unknown> = {};
  for (const name of ['content', 'contents', 'messages'])
    if (Array.isArray(result[name])) changed[name] = result[name].map((block) => redactBlock(block, paths));
  return { ...result, ...changed };
}

function redactBlock(block: unknown, paths: Paths): unknown {
  if (!isObject(block)) return withheld;
  return {
    ...block,
    ...('text' in block && { text: redactText(block['text'], paths) }),
    ...('data' in block && { data: '' }),
    ...('blob' in block && { blob: '' }),
    ...('resource' in block && { resource: redactBlock(block['resource'], paths) }),
    ...('content' in block && {
      content: Array.isArray(block['content'])
        ? block['content'].map((inner) => redactBlock(inner, paths))
        : redactBlock(block['content'], paths),
    }),
  };
}

function redactText(text: unknown, paths: Paths): string {
  if (typeof text !== 'string') return withheld;
  try {
    const value: unknown = JSON.parse(text);
    // A lone text or number may be the very field.
    return typeof value === 'object' && value !== null
      ? JSON.stringify(redactNode(value, paths, [], 0))
      : withheld;
  } catch {
    return withheld;
  }
}

function endsWith(here: readonly string[], path: readonly string[]): boolean {
  return path.every((part, index) => here[here.length - path.length + index] === part);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
