import { createHash } from 'node:crypto';
import type { Page } from './page.js';
import { Html, html } from './html.js';

const style = `
:root { color-scheme: light dark; --text: #1c1e21; --quiet: #5c636e; --page: #f4f5f7; --card: #fff; --line: #d5d9e0;
  --accent: #1f5fbf; --on-accent: #fff; --warn: #fff4d6; --warn-line: #b57a00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e8eaee; --quiet: #a3abb8; --page: #14161a; --card: #1e2127;
  --line: #3a404b; --accent: #8ab4f8; --on-accent: #10203a; --warn: #3a2f10; --warn-line: #d9a520; --bad: #ffb4ab; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { max-width: 28rem; margin: 0 auto; padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
h1 { margin: 0 0 1rem; font-size: 1.375rem; line-height: 1.3; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
h3 { margin: 0 0 .5rem; font-size: 1rem; overflow-wrap: anywhere; }
p, ul, dl { margin: 0 0 1rem; }
ul { padding-left: 1.25rem; }
dt { color: var(--quiet); font-size: .875rem; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; }
input { width: 100%; margin: 0 0 1rem; padding: .625rem .75rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--quiet); border-radius: .5rem; }
input[type=checkbox] { width: 1.25rem; height: 1.25rem; margin: .125rem 0 0; flex: none; accent-color: var(--accent); }
fieldset { margin: 1.5rem 0 0; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; }
legend { padding: 0 .25rem; font-weight: 600; }
.choice { display: flex; gap: .75rem; margin: 0; font-weight: 400; overflow-wrap: anywhere; }
.choice + .choice { margin-top: .75rem; }
button { padding: .625rem 1.25rem; font: inherit; font-weight: 600; cursor: pointer; border-radius: .5rem;
  border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); }
button.second { background: transparent; color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.actions { display: flex; gap: .75rem; flex-wrap: wrap; margin: 1.5rem 0 1rem; }
article { margin: 0 0 1rem; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; }
article > :last-child, article .actions, dd > ul { margin-bottom: 0; }
article .actions { margin-top: 1rem; }
.status { padding: .75rem 1rem; border-left: 4px solid var(--accent); background: var(--page); border-radius: .25rem; }
a { color: var(--accent); }
.warning { padding: .75rem 1rem; background: var(--warn); border-left: 4px solid var(--warn-line); border-radius: .25rem; }
.error { color: var(--bad); font-weight: 600; }
.quiet { color: var(--quiet); font-size: .875rem; }
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/** Headers of every page: nothing is loaded, nothing runs, nobody frames it, nothing is kept. */
const headers = {
  // No form-action: browsers apply it to the redirect after a form too, and that one goes to the client.
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; frame-ancestors 'none'`,
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  // Not no-referrer: with that, browsers send forms with `Origin: null`.
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'no-store',
  'Content-Type': 'text/html; charset=utf-8',
} as const;

export function layout(title: string, content: Html): Page {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${new Html(`<style>${style}</style>`)}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`;
  return { html: page.markup, headers };
}
