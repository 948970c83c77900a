import type { AuthorizationServerConfig } from '@behalf/config';
import type { AuthorizationDetail } from '@behalf/oauth';
import { html, type Html, visibleText } from '@behalf/pages';

/** One authorization detail, in words. */
export interface DetailWords {
  description: string;
  /** Every member but the type, with its value: what is not shown must not be agreed to. */
  members: { name: string; value: string }[];
}

const commonWords: Record<string, string> = {
  locations: 'Where',
  actions: 'To do',
  datatypes: 'Kinds of data',
  identifier: 'Which one',
  privileges: 'With the rights of',
};

/** An authorization detail in the words of the configuration; what has no words as it is. */
export function detailWords(
  { type, ...members }: AuthorizationDetail,
  { authorizationDetailsTypes: types }: AuthorizationServerConfig,
): DetailWords {
  const known = Object.hasOwn(types, type) ? types[type] : undefined;
  const words = new Map(Object.entries({ ...commonWords, ...known?.members }));
  return {
    description: known?.description ?? type,
    members: Object.entries(members).map(([name, value]) => ({
      name: words.get(name) ?? name,
      value: valueWords(value),
    })),
  };
}

function valueWords(value: unknown): string {
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}

/** As an item of a list. */
export function describeDetail({ description, members }: DetailWords): Html {
  return html`<li>
    ${description}
    <ul>
      ${members.map(({ name, value }) => html`<li>${visibleText(name)}: ${visibleText(value)}</li>`)}
    </ul>
  </li>`;
}
