#!/usr/bin/env node
// A stand-in for a browser and the person in front of it: keeps cookies, follows redirects, signs in and consents by
// submitting the first form of every page, and stops at the client's redirect URI. Clients start it through BROWSER;
// BEHALF_TEST_USER says who sits in front of it.
import { pathToFileURL } from 'node:url';

const maxSteps = 20;

/** Opens an authorization URL and goes on until the browser is back at the client. Returns the last URL. */
export async function openAsPerson(start, username, { visitRedirectUri = true } = {}) {
  const home = new URL(start).host;
  const cookies = new Map();
  let next = { url: new URL(start), init: {} };
  for (let step = 0; step < maxSteps; step += 1) {
    const isAway = next.url.host !== home;
    if (isAway && !visitRedirectUri) return next.url;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(next.url, {
      ...next.init,
      redirect: 'manual',
      headers: { ...next.init.headers, ...(isAway ? {} : { cookie }), accept: 'text/html' },
    });
    if (isAway) return next.url;
    keepCookies(cookies, response.headers.getSetCookie());
    const location = response.headers.get('location');
    const page = await response.text();
    if (location) next = { url: new URL(location, next.url), init: {} };
    else if (response.ok && /<form/i.test(page)) next = submit(page, next.url, username);
    else
      throw new Error(
        `the browser is stuck at ${next.url.pathname}: ${response.status} ${page.slice(0, 2000)}`,
      );
  }
  throw new Error('the browser went in circles');
}

function keepCookies(jar, lines) {
  for (const line of lines) {
    const [pair] = line.split(';');
    const [name, ...value] = pair.split('=');
    if (/expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) jar.delete(name.trim());
    else jar.set(name.trim(), value.join('='));
  }
}

/** Fills the first form in, and presses its first button. */
function submit(page, url, username) {
  const [, attributes, body] = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(page);
  const fields = new URLSearchParams();
  let pressed = false;
  for (const [tag] of body.matchAll(/<(?:input|button)\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    const type = attribute(tag, 'type') ?? (tag.startsWith('<button') ? 'submit' : 'text');
    if (type === 'submit') {
      if (!pressed && name) fields.append(name, attribute(tag, 'value') ?? '');
      pressed = true;
    } else if (name && type === 'checkbox') {
      if (/\schecked\b/i.test(tag)) fields.append(name, attribute(tag, 'value') ?? 'on');
    } else if (name) fields.append(name, attribute(tag, 'value') || (type === 'hidden' ? '' : username));
  }
  return {
    url: new URL(attribute(attributes, 'action') ?? url.href, url),
    init: {
      method: 'POST',
      body: fields,
      headers: { origin: url.origin, 'sec-fetch-site': 'same-origin', referer: url.href },
    },
  };
}

function attribute(tag, name) {
  const found = new RegExp(`\\s${name}\\s*=\\s*("([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
  if (!found) return undefined;
  return (found[2] ?? found[3] ?? found[4])
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&#x27;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await openAsPerson(process.argv[2], process.env.BEHALF_TEST_USER ?? 'alice');
}
