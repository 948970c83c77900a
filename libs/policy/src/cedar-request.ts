/** Names an entity. Ids travel as data and are never spliced into policy text, so no id can end a string early. */
export interface EntityUid {
  type: string;
  id: string;
}

/**
 * A value in Cedar's own JSON form. A number is a Long and always a safe integer; a decimal is
 * `{ __extn: { fn: 'decimal', arg } }`; a reference to an entity is `{ __entity }`.
 *
 * @see https://docs.cedarpolicy.com/auth/entities-syntax.html
 */
export type CedarValue =
  | boolean
  | string
  | number
  | { __entity: EntityUid }
  | { __extn: { fn: string; arg: string } }
  | CedarValue[]
  | { [name: string]: CedarValue };

export interface CedarEntity {
  uid: EntityUid;
  attrs: Record<string, CedarValue>;
  parents: EntityUid[];
}

/** What an engine decides: Cedar's four request parts, and the entities that belong to this one request. */
export interface CedarRequest {
  principal: EntityUid;
  action: EntityUid;
  resource: EntityUid;
  context: Record<string, CedarValue>;
  entities: CedarEntity[];
}
