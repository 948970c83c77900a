import { type Json, isJsonObject } from './mcp-message.js';
import { type ListDescription, filteredLists } from './mcp-methods.js';

export interface ListedItems {
  list: ListDescription;
  items: Json[];
  ids: string[];
}

/**
 * The filtered lists a result holds, by what is in it and not by what was asked: a replayed or misdirected answer must
 * not show what a direct one would hide. Items without a name cannot be decided on and are left out.
 */
export function listedItems(result: Json): ListedItems[] {
  return filteredLists.flatMap((list) => {
    const value = result[list.member];
    if (!Array.isArray(value)) return [];
    const items = value.filter(
      (item): item is Json =>
        isJsonObject(item) && typeof item[list.idMember] === 'string' && item[list.idMember] !== '',
    );
    return [{ list, items, ids: items.map((item) => item[list.idMember] as string) }];
  });
}

/** The result with only the allowed items of one list, in the order they came. */
export function withAllowedItems(
  result: Json,
  { list, items }: ListedItems,
  allowed: readonly boolean[],
): Json {
  return { ...result, [list.member]: items.filter((_item, index) => allowed[index] === true) };
}

/**
 * Marks a result of the modern era as made for one caller only.
 *
 * @see MCP 2026-07-28, server/utilities/caching
 */
export function markPrivate(result: Json): Json {
  return {
    ...result,
    ttlMs: typeof result['ttlMs'] === 'number' ? result['ttlMs'] : 0,
    cacheScope: 'private',
  };
}
