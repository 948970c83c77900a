import { type Html, html } from './html.js';

const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

/** A moment for people. Where they are is not known, so the time zone is named. */
export function moment(ms: number): Html {
  const date = new Date(ms);
  return html`<time datetime="${date.toISOString()}">${format.format(date)} UTC</time>`;
}
