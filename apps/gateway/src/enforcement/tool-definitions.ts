import { type Json, isJsonObject } from '@behalf/mcp';
import { type ToolDefinition, toolDefinitionHash } from '@behalf/policy';
import { LRUCache } from 'lru-cache';

/** For each upstream, so that one of them cannot push out what is known of the others. */
const maxToolsPerUpstream = 2_000;
/** What may travel with every single question to the policy; of a larger tool only the hash does. */
const maxSchemaCharacters = 32 * 1024;

/** What a question to the policy says of a tool. */
export type DescribedTool = {
  definition_hash: string;
  input_schema?: Json;
  annotations?: Json;
};

/**
 * What tools look like, learned from the lists that pass. A tool nobody has listed here is not described; a policy that
 * depends on the description, or a pin, then denies.
 */
export class ToolDefinitions {
  readonly #known = new Map<string, LRUCache<string, DescribedTool>>();

  learn(upstream: string, result: Json): void {
    const { tools } = result;
    if (!Array.isArray(tools)) return;
    for (const tool of tools as unknown[]) {
      if (!isJsonObject(tool) || typeof tool['name'] !== 'string') continue;
      const described = describe(tool as ToolDefinition);
      // Forgotten rather than kept as it was: what it is now cannot be told, so nobody has reviewed it.
      if (described === undefined) this.#of(upstream).delete(tool['name']);
      else this.#of(upstream).set(tool['name'], described);
    }
  }

  /** Everything that was learned of an upstream. */
  forget(upstream: string): void {
    this.#known.delete(upstream);
  }

  describe(upstream: string, tool: string): DescribedTool | undefined {
    return this.#of(upstream).get(tool);
  }

  #of(upstream: string): LRUCache<string, DescribedTool> {
    let known = this.#known.get(upstream);
    if (known === undefined) {
      known = new LRUCache<string, DescribedTool>({ max: maxToolsPerUpstream });
      this.#known.set(upstream, known);
    }
    return known;
  }
}

/** Undefined for a definition without a canonical form. */
function describe(tool: ToolDefinition): DescribedTool | undefined {
  const { inputSchema, annotations } = tool;
  try {
    return {
      definition_hash: toolDefinitionHash(tool),
      ...(fits(inputSchema) && { input_schema: inputSchema }),
      ...(fits(annotations) && { annotations }),
    };
  } catch {
    return undefined;
  }
}

function fits(value: unknown): value is Json {
  return isJsonObject(value) && JSON.stringify(value).length <= maxSchemaCharacters;
}
