/**
 * A browser without a screen: keeps cookies per origin and path, follows redirects, submits forms. Enough for the
 * authorization server's pages, which work without JavaScript.
 */
export class HeadlessBrowser {
  readonly #cookies: { origin: string; path: string; name: string; value: string }[] = [];
  /** Every URL that was requested, for assertions. */
  readonly visited: string[] = [];

  /** Requests a URL and follows redirects until `stopAt` accepts the next address, which is then not requested. */
  async open(url: string | URL, options: OpenOptions = {}): Promise<Visit> {
    const { stopAt = () => false, form, headers = {} } = options;
    let target = new URL(url);
    let body = form && new URLSearchParams(form);
    for (let hop = 0; hop < maxHops; hop++) {
      if (stopAt(target)) return { url: target, status: 0, html: '', headers: new Headers() };
      this.visited.push(target.href);
      const response = await fetch(target, {
        method: body ? 'POST' : 'GET',
        redirect: 'manual',
        headers: {
          accept: 'text/html',
          cookie: this.#cookiesFor(target),
          ...(body && { origin: target.origin, 'sec-fetch-site': 'same-origin' }),
          ...headers,
        },
        ...(body && { body }),
      });
      this.#keepCookies(target, response.headers.getSetCookie());
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null) {
        return {
          url: target,
          status: response.status,
          html: await response.text(),
          headers: response.headers,
        };
      }
      await response.body?.cancel();
      target = new URL(location, target);
      body = undefined;
    }
    throw new Error(`more than ${maxHops} redirects, the last one to ${target.href}`);
  }

  /** Submits the page's form: its hidden fields, the given ones, and a button if one is named. */
  async submit(page: Visit, fields: Record<string, string>, options: OpenOptions = {}): Promise<Visit> {
    const form = readForm(page);
    return this.open(form.action, { ...options, form: { ...form.fields, ...fields } });
  }

  /**
   * Goes through an authorization request as a person does: signs in if asked, decides if asked.
   *
   * @returns the address that `stopAt` accepted; throws when a page came that is neither form
   */
  async signInAndConsent(url: string | URL, options: SignInOptions): Promise<URL> {
    const { username, password = username, stopAt, deny = false } = options;
    let page = await this.open(url, { stopAt });
    for (let step = 0; step < maxPages && !stopAt(page.url); step++) {
      if (page.html.includes('name="password"') && page.status === 200) {
        page = await this.submit(page, { username, password }, { stopAt });
      } else if (page.html.includes('name="decision"')) {
        page = await this.submit(page, { decision: deny ? 'deny' : 'allow' }, { stopAt });
      } else if (page.html.includes('name="xsrf"')) {
        // Somebody else was signed in: a page in between, which a script would send on.
        page = await this.submit(page, {}, { stopAt });
      } else break;
    }
    if (!stopAt(page.url))
      throw new Error(`unexpected page (${page.status}) at ${page.url.href}: ${page.html}`);
    return page.url;
  }

  #cookiesFor(url: URL): string {
    return this.#cookies
      .filter(
        ({ origin, path }) => origin === url.host && `${url.pathname}/`.startsWith(path.replace(/\/?$/, '/')),
      )
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #keepCookies(url: URL, setCookies: string[]): void {
    for (const line of setCookies) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const attribute = (wanted: string): string | undefined =>
        attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
      const path = attribute('path') ?? '/';
      const known = this.#cookies.findIndex(
        (c) => c.origin === url.host && c.path === path && c.name === name,
      );
      if (known >= 0) this.#cookies.splice(known, 1);
      const expires = attribute('expires');
      const isGone =
        attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now());
      if (!isGone) this.#cookies.push({ origin: url.host, path, name, value });
    }
  }
}

const maxHops = 20;
const maxPages = 5;

export interface OpenOptions {
  /** Ends the walk at an address, typically the client's redirect URI. */
  stopAt?: (url: URL) => boolean;
  form?: Record<string, string>;
  headers?: Record<string, string>;
}

export interface SignInOptions {
  username: string;
  /** The user name without it. */
  password?: string;
  stopAt: (url: URL) => boolean;
  deny?: boolean;
}

export interface Visit {
  url: URL;
  /** 0 for an address that was not requested. */
  status: number;
  html: string;
  headers: Headers;
}

/** A fresh browser that goes through one authorization request. */
export function signInAndConsent(url: string | URL, options: SignInOptions): Promise<URL> {
  return new HeadlessBrowser().signInAndConsent(url, options);
}

/** The first form of a page, of those whose address ends so, with its hidden fields. */
export function readForm(page: Visit, ending = ''): { action: string; fields: Record<string, string> } {
  const form = [...page.html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].find(
    ([, action]) => action?.endsWith(ending),
  );
  if (!form) throw new Error(`no form at ${page.url.href}: ${page.html}`);
  const fields: Record<string, string> = {};
  for (const [input] of (form[2] ?? '').matchAll(/<input[^>]*>/g)) {
    if (/type="hidden"/.test(input)) fields[attributeOf(input, 'name')] = attributeOf(input, 'value');
  }
  return { action: new URL(unescape(form[1] ?? ''), page.url).href, fields };
}

function attributeOf(tag: string, name: string): string {
  return unescape(new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? '');
}

function unescape(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
