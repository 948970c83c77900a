import type { Entities } from './entities.js';
import type { EntityUid } from './entity-uid.js';
import type { CedarRecord } from './value.js';

/** What the variables of a policy stand for during one evaluation. */
export interface Environment {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: CedarRecord;
  readonly entities: Entities;
}
