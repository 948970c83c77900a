import { UnreadableInput } from './unreadable-input.js';

export interface EntityUidJson {
  readonly type: string;
  readonly id: string;
}

const typeName = /^[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*$/;
const reserved = new Set(['true', 'false', 'if', 'then', 'else', 'in', 'like', 'has', 'is', '__cedar']);
/** Types are few and names of ids many, so the check of a type is made once. Bounded: callers choose the names. */
const knownTypes = new Set<string>();
const maxKnownTypes = 1000;

/** The name of an entity. Two are the same entity exactly when their keys are the same string. */
export class EntityUid {
  readonly key: string;

  private constructor(
    readonly type: string,
    readonly id: string,
  ) {
    this.key = entityKey(type, id);
  }

  /** Takes `{type, id}` and `{__entity: {type, id}}`. @throws UnreadableInput */
  static read(json: unknown): EntityUid {
    const { type, id } = namesIn(json);
    if (typeof type !== 'string' || typeof id !== 'string')
      throw new UnreadableInput('an entity uid lacks type or id');
    checkType(type);
    if (!id.isWellFormed()) throw new UnreadableInput('an entity id contains a lone surrogate');
    return new EntityUid(type, id);
  }

  /** The same, and `last` itself where it is that one again. @throws UnreadableInput */
  static readAfter(last: EntityUid | undefined, json: unknown): EntityUid {
    if (last === undefined) return EntityUid.read(json);
    const { type, id } = namesIn(json);
    return type === last.type && id === last.id ? last : EntityUid.read(json);
  }
}

function namesIn(json: unknown): Partial<Record<keyof EntityUidJson, unknown>> {
  if (typeof json !== 'object' || json === null) throw new UnreadableInput('an entity uid is not an object');
  const named = json as { __entity?: EntityUidJson } & EntityUidJson;
  return named.__entity ?? named;
}

/** A type has no NUL in it, so the first one in a key ends the type, whatever the id holds. */
function entityKey(type: string, id: string): string {
  return `${type}\0${id}`;
}

function checkType(type: string): void {
  if (knownTypes.has(type)) return;
  if (!typeName.test(type) || type.split('::').some((part) => reserved.has(part)))
    throw new UnreadableInput('an entity type is not a Cedar name');
  if (knownTypes.size < maxKnownTypes) knownTypes.add(type);
}
