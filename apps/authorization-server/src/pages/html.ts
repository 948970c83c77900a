/** Text that is markup already. Everything else that goes into a page is escaped. */
export class Html {
  constructor(readonly markup: string) {}
}

type Part = Html | string | number | undefined | false | readonly Part[];

/** Builds markup. Values are escaped for text and for quoted attributes alike; an unquoted attribute is never safe. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(
    strings.reduce(
      (markup, text, index) => markup + text + (index < parts.length ? render(parts[index]) : ''),
      '',
    ),
  );
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.markup;
  if (Array.isArray(part)) return part.map((one: Part) => render(one)).join('');
  return String(part as string | number).replace(/[&<>"']/g, (character) => entities[character] as string);
}
