import type { Request, Response } from 'express';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { PersonSessions } from './person-sessions.js';

const key = new LocalKeyEncryptionKey(Buffer.alloc(32, 1));
const alice = { sub: 'alice', name: 'Alice', roles: ['approver'] };
let nowMs = 0;
const clock = { nowMs: () => nowMs };
const sessions = (publicUrl = 'https://pdp.example', kek = key) =>
  new PersonSessions({ publicUrl, name: 'approver', sessionSeconds: 300 }, kek, clock);

/** The cookie that a session begins with. */
async function begin(from = sessions()) {
  let cookie: { name: string; value: string; options: object } | undefined;
  const response = {
    cookie: (name: string, value: string, options: object) => void (cookie = { name, value, options }),
  };
  await from.begin(alice, response as unknown as Response);
  if (cookie === undefined) throw new Error('no cookie');
  return cookie;
}
const withCookie = (cookie: string, headers: object = {}) => ({ headers: { cookie, ...headers } }) as Request;

beforeEach(() => {
  nowMs = 1_000_000;
});

it('is a cookie that no script reads, and over https one that no other host can set', async () => {
  const { name, options } = await begin();
  expect(name).toBe('__Host-approver');
  expect(options).toMatchObject({ httpOnly: true, secure: true, sameSite: 'lax', path: '/' });
  expect(options).not.toHaveProperty('domain');
});

it('knows the person again, for as long as it lasts', async () => {
  const { name, value } = await begin();
  expect(await sessions().of(withCookie(`other=1; ${name}=${value}`))).toMatchObject(alice);
  nowMs += 300_000;
  expect(await sessions().of(withCookie(`${name}=${value}`))).toBeUndefined();
});

it.each([
  ['changed', (value: string) => `${value.slice(0, -2)}AA`, sessions()],
  ['of another service', (value: string) => value, sessions('https://other.example')],
  [
    'of another key',
    (value: string) => value,
    sessions('https://pdp.example', new LocalKeyEncryptionKey(Buffer.alloc(32, 2))),
  ],
  ['empty', () => '', sessions()],
  ['malformed', () => '%E0%A4%A', sessions()],
])('is nobody when it is %s', async (_what, change, reader) => {
  const { name, value } = await begin();
  expect(await reader.of(withCookie(`${name}=${change(value)}`))).toBeUndefined();
});

it('takes the form of one request in one session from its own page only', async () => {
  const own = sessions();
  const { name, value } = await begin(own);
  const request = withCookie(`${name}=${value}`);
  const session = await own.of(request);
  if (session === undefined) throw new Error('no session');
  const form = new Map([['csrf', own.formCode(session, 'one')]]);
  const check =
    (asked: Request, requestId = 'one', of = session) =>
    () =>
      own.checkForm(asked, form, of, requestId);
  expect(check(request)).not.toThrow();
  expect(
    check(withCookie('', { origin: 'https://pdp.example', 'sec-fetch-site': 'same-origin' })),
  ).not.toThrow();
  const refused = expect.objectContaining({ code: 'access_denied' });
  expect(check(request, 'other')).toThrow(refused);
  expect(check(request, 'one', { ...session, formKey: 'other' })).toThrow(refused);
  expect(check(withCookie('', { origin: 'null' }))).toThrow(refused);
  expect(check(withCookie('', { 'sec-fetch-site': 'same-site' }))).toThrow(refused);
});
