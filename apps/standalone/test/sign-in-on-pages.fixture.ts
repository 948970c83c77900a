import type { Chromium } from '@behalf/testing';

/** On the page that asks who the person is; and agrees where the service, a client of our own issuer, is asked about. */
export async function signInOnPages(browser: Chromium, username: string): Promise<void> {
  await browser.type('[name=username]', username);
  await browser.type('[name=password]', username);
  await browser.click('button[type=submit]');
  if (await browser.evaluate("document.querySelector('[name=decision][value=allow]') !== null"))
    await browser.click('[name=decision][value=allow]');
}
