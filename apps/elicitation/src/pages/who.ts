import { visibleText } from '@behalf/pages';

/** What a client calls itself, or its id. */
export function who(names: Readonly<Record<string, string>>, id: string): string {
  return visibleText(names[id] ?? id);
}
