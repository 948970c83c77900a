import type { HeadlessBrowser } from '@behalf/headless-browser';

/** What alice does with a link that her client shows her: signs in to us, agrees, signs in to Demo Drive, agrees there. */
export async function connectDemoDrive(
  browser: HeadlessBrowser,
  link: string,
  username: string,
): Promise<string> {
  const back = await browser.signInAndConsent(link, {
    username,
    stopAt: ({ pathname }) => pathname === '/sign-in/callback',
  });
  let page = await browser.submit(await browser.open(back), { answer: 'allow' });
  if (page.html.includes('name="account"'))
    page = await browser.submit(page, { account: `${username}@drive`, answer: 'sign-in' });
  if (page.html.includes('value="yes"')) page = await browser.submit(page, { answer: 'yes' });
  return /<title>([^<]*)/.exec(page.html)?.[1] ?? '';
}
