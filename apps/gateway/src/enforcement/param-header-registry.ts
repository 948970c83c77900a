import { type Json, type ParamHeader, isJsonObject, paramHeadersOf } from '@behalf/mcp';
import { LRUCache } from 'lru-cache';

const maxTools = 10_000;

/**
 * Which tools want arguments repeated in headers, learned from the tool lists that pass. A tool nobody has listed here
 * is not known; then only the server behind checks its headers, and policy is decided on the body in any case.
 */
export class ParamHeaderRegistry {
  readonly #declared = new LRUCache<string, ParamHeader[]>({ max: maxTools });

  learn(upstream: string, result: Json): void {
    const { tools } = result;
    if (!Array.isArray(tools)) return;
    for (const tool of tools as unknown[]) {
      if (!isJsonObject(tool) || typeof tool['name'] !== 'string') continue;
      this.#declared.set(JSON.stringify([upstream, tool['name']]), paramHeadersOf(tool['inputSchema']));
    }
  }

  declaredBy(upstream: string, tool: string): readonly ParamHeader[] {
    return this.#declared.get(JSON.stringify([upstream, tool])) ?? [];
  }
}
