import type { Page } from '@behalf/pages';
import type { Response } from 'express';

export function sendPage(response: Response, page: Page, status = 200): void {
  response
    .status(status)
    .set({ ...page.headers })
    .send(page.html);
}
