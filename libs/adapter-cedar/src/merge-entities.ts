import type { EntityJson, EntityUidJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarEntity } from '@behalf/policy';

/**
 * The bundle's entities and the request's, each once. Where both describe one, it has the parents of both, and the
 * bundle's attributes and tags win: what the operator wrote down is not for a caller to overwrite.
 */
export function mergeEntities(
  bundle: EntityJson[],
  request: (CedarEntity & Pick<EntityJson, 'tags'>)[],
): EntityJson[] {
  if (bundle.length === 0) return request;
  const merged = new Map<string, EntityJson>(bundle.map((entity) => [keyOf(entity.uid), entity]));
  for (const entity of request) {
    const fixed = merged.get(keyOf(entity.uid));
    merged.set(
      keyOf(entity.uid),
      fixed === undefined
        ? entity
        : {
            ...fixed,
            attrs: { ...entity.attrs, ...fixed.attrs },
            tags: { ...entity.tags, ...fixed.tags },
            parents: [...fixed.parents, ...entity.parents],
          },
    );
  }
  return [...merged.values()];
}

function keyOf(uid: EntityUidJson): string {
  const { type, id }: TypeAndId = '__entity' in uid ? uid.__entity : uid;
  return JSON.stringify([type, id]);
}
