import type { Page } from '@behalf/pages';
import type { Response } from 'express';

/** Sends a page with the headers that it must be sent with. */
export function sendPage(response: Response, page: Page, status = 200): void {
  response
    .status(status)
    .set({ ...page.headers })
    .send(page.html);
}
