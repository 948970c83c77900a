import type { Evaluation } from '@behalf/contracts';
import { digestOf } from '@behalf/i-json';
import { InvalidEvaluation } from './invalid-evaluation.js';

/** A tool as its server describes it: the object that stands in the result of `tools/list`. */
export type ToolDefinition = Record<string, unknown> & { name: string };

/** Members that say nothing about what the tool is, and may differ from one listing to the next. */
const unpinned = new Set(['_meta', 'icons']);

/**
 * Names one definition of a tool: its canonical form (RFC 8785) without `_meta` and `icons`, digested. A server that
 * changes a description after the tool was reviewed changes this hash (the attack is called a rug pull).
 */
export function toolDefinitionHash(definition: ToolDefinition): string {
  return digestOf(Object.fromEntries(Object.entries(definition).filter(([name]) => !unpinned.has(name))));
}

export interface DescribedTool {
  /** Undefined when the evaluation does not say what the tool looks like. */
  definitionHash: string | undefined;
  inputSchema: unknown;
  annotations: object | undefined;
}

/**
 * What an evaluation says of the tool it is about: `resource.properties.definition` is the whole definition, or else
 * `definition_hash`, `input_schema` and `annotations` stand by themselves.
 *
 * Trusts the caller to have them from the server; a hash beside a definition it does not belong to is refused.
 *
 * @throws InvalidEvaluation
 */
export function describedTool(resource: Evaluation['resource']): DescribedTool {
  const { definition, definition_hash, input_schema, annotations } = resource.properties ?? {};
  const at = 'resource.properties';
  if (definition_hash !== undefined && typeof definition_hash !== 'string')
    throw new InvalidEvaluation(`${at}.definition_hash`, 'must be text');
  if (annotations !== undefined && !isObject(annotations))
    throw new InvalidEvaluation(`${at}.annotations`, 'must be an object');
  if (definition === undefined)
    return { definitionHash: definition_hash, inputSchema: input_schema, annotations };

  if (!isObject(definition) || definition['name'] !== resource.id)
    throw new InvalidEvaluation(`${at}.definition`, 'is not the definition of this tool');
  const hash = hashOf(definition as ToolDefinition);
  if (definition_hash !== undefined && definition_hash !== hash)
    throw new InvalidEvaluation(`${at}.definition_hash`, 'belongs to another definition');
  const own = definition['annotations'];
  return {
    definitionHash: hash,
    inputSchema: definition['inputSchema'],
    annotations: isObject(own) ? own : undefined,
  };
}

function hashOf(definition: ToolDefinition): string {
  try {
    return toolDefinitionHash(definition);
  } catch {
    throw new InvalidEvaluation('resource.properties.definition', 'has no canonical form');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
