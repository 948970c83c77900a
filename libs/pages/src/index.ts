/** What all pages for people share: escaping, layout and the headers that keep them out of frames. No I/O. */
export { Html, html } from './html.js';
export { layout } from './layout.js';
export { type Page } from './page.js';
export { moment } from './moment.js';
export { visibleText } from './visible-text.js';
