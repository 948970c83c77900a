import type { EntityUid } from './entity-uid.js';
import type { CedarRecord } from './value.js';

export interface Entity {
  readonly uid: EntityUid;
  readonly attributes: CedarRecord;
  readonly tags: CedarRecord;
  /** Keys of the entities it is directly in. */
  readonly parents: readonly string[];
  /** Keys of all it is in, at any distance, without itself. */
  readonly ancestors: ReadonlySet<string>;
}

/** Every entity that one evaluation can see, by key. */
export interface Entities {
  get(key: string): Entity | undefined;
}
