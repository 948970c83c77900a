import { TestBrowser } from '@behalf/testing';

/** Pages that a person can be asked to fill in. */
export type PageName = 'sign-in' | 'consent';

/** Opens an authorization URL in a fresh browser, as the given person, until the browser is back at the client. */
export async function browse(url: URL, username: string): Promise<URL> {
  return (await browsePages(url, username)).end;
}

/** The same, with the pages that the person saw. */
export async function browsePages(url: URL, username: string): Promise<{ end: URL; pages: PageName[] }> {
  const browser = new TestBrowser();
  const end = await browser.signInAndConsent(url, {
    username,
    stopAt: (address) => address.origin !== url.origin,
  });
  const pages = (['sign-in', 'consent'] as const).filter((page) =>
    browser.visited.some((address) => address.endsWith(`/${page}`)),
  );
  return { end, pages };
}
