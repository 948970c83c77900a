import { type OpenOptions, TestBrowser, type Visit } from '@behalf/testing';

/**
 * Opens the link as a person does: our sign-in, our question, the third party's sign-in and question, and back.
 *
 * @param atThirdParty where they stop on their way back
 */
export async function goThrough(
  link: string,
  username: string,
  browser = new TestBrowser(),
  atThirdParty: OpenOptions = {},
): Promise<Visit> {
  const back = await browser.signInAndConsent(link, {
    username,
    stopAt: ({ pathname }) => pathname === '/sign-in/callback',
  });
  let page = await browser.submit(await browser.open(back), { answer: 'allow' });
  if (page.html.includes('name="account"'))
    page = await browser.submit(page, { account: `${username}@drive`, answer: 'sign-in' }, atThirdParty);
  if (page.html.includes('value="yes"')) page = await browser.submit(page, { answer: 'yes' }, atThirdParty);
  return page;
}
