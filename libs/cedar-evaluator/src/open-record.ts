import type { CedarRecord, Value } from './value.js';

/**
 * A record of which not everything is known. What stands in it is so; when it is open, further members may or may not
 * be there and be anything.
 */
export class OpenRecord {
  private constructor(
    readonly members: ReadonlyMap<string, Value | OpenRecord>,
    readonly isOpen: boolean,
  ) {}

  /**
   * A record, open at each path: `['arguments']` opens the record that is its member `arguments`, `[]` itself. A record
   * that is open counts as there, with nothing known of it, when it is missing.
   */
  static over(record: CedarRecord, paths: readonly (readonly string[])[]): OpenRecord {
    const members = new Map<string, Value | OpenRecord>(record);
    for (const name of new Set(paths.flatMap(([first]) => first ?? []))) {
      const known = record.get(name) ?? new Map<string, Value>();
      // What is known to be no record has no members that could be unknown.
      if (!(known instanceof Map)) continue;
      const below = paths.filter(([first]) => first === name).map(([, ...rest]) => rest);
      members.set(name, OpenRecord.over(known as CedarRecord, below));
    }
    return new OpenRecord(
      members,
      paths.some((path) => path.length === 0),
    );
  }
}
