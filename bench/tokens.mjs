// Signs a person in without a screen and gets tokens, as the demo's clients do.
import { createHash, randomBytes } from 'node:crypto';
import { HeadlessBrowser } from '../dist/libs/headless-browser/src/index.js';

const redirectUri = 'http://127.0.0.1/callback';
export const basic = (id) => `Basic ${Buffer.from(`${id}:${id}-secret`).toString('base64')}`;

export async function post(url, form, headers = {}) {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers });
  const body = await response.json();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${JSON.stringify(body)}`);
  return body;
}

export async function personToken(issuer, username, resource) {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(`${issuer}/auth`);
  url.search = new URLSearchParams({
    client_id: 'demo-client',
    response_type: 'code',
    redirect_uri: redirectUri,
    resource,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const callback = await new HeadlessBrowser().signInAndConsent(url, {
    username,
    stopAt: (address) => address.href.startsWith(redirectUri),
  });
  const { access_token: token } = await post(`${issuer}/token`, {
    grant_type: 'authorization_code',
    client_id: 'demo-client',
    code: callback.searchParams.get('code'),
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  return token;
}

export const exchangeForm = (subjectToken, resource) => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: subjectToken,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  resource,
});

/** Has a person lend their account at Demo Drive to whoever made the exchange. */
export async function connectDrive(url, form, headers, username) {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers });
  const { interaction_uri: link } = await response.json();
  const browser = new HeadlessBrowser();
  const back = await browser.signInAndConsent(link, {
    username,
    stopAt: ({ pathname }) => pathname === '/sign-in/callback',
  });
  const asked = await browser.submit(await browser.open(back), { answer: 'allow' });
  const signedIn = await browser.submit(asked, { account: `${username}@drive`, answer: 'sign-in' });
  const { html } = await browser.submit(signedIn, { answer: 'yes' });
  if (!html.includes('Connected')) throw new Error(`the account was not connected: ${html}`);
}
