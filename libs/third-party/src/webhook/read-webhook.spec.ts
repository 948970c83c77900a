import { createHmac } from 'node:crypto';
import { resolveProviders } from '../resolving/resolve-providers.js';
import { WebhookRefused, readWebhook } from './read-webhook.js';

const nowMs = Date.UTC(2026, 10, 23);
const [github, slack] = resolveProviders(
  ['github', 'slack'].map((preset) => ({
    kind: 'oauth' as const,
    id: preset,
    preset,
    client: { id: 'c', demoSecret: 's' },
    internalHosts: [],
    webhook: { demoSecret: 'hush' },
  })),
  {},
).map(({ webhook }) => webhook!);
const hmac = (text: string, secret = 'hush', encoding: 'hex' | 'base64' = 'hex') =>
  createHmac('sha256', secret).update(text).digest(encoding);
/** @see https://docs.github.com/webhooks/webhook-events-and-payloads#github_app_authorization */
const revoked = JSON.stringify({ action: 'revoked', sender: { login: 'octocat', id: 21031067 } });
const fromGithub = (body: string, changes: Record<string, string | string[] | undefined> = {}) => ({
  headers: {
    'x-github-event': 'github_app_authorization',
    'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    'x-hub-signature-256': `sha256=${hmac(body)}`,
    ...changes,
  },
  body: Buffer.from(body),
});
const reasonOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    if (error instanceof WebhookRefused) return error.reason;
    throw error;
  }
};

describe('what a provider tells by webhook', () => {
  it('GitHub: whose authorization was revoked', () => {
    expect(readWebhook(fromGithub(revoked), github!, nowMs)).toEqual({
      accounts: ['21031067'],
      deliveryId: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    });
  });

  it("computes GitHub's own example of a signature", () => {
    const webhook = { ...github!, secret: "It's a Secret to Everybody" };
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const message = fromGithub('Hello, World!', { 'x-hub-signature-256': signature });
    // It is GitHub's, and no JSON.
    expect(reasonOf(() => readWebhook(message, webhook, nowMs))).toBe('malformed');
  });

  it('Slack: every account of an event, signed with a time', () => {
    const body = JSON.stringify({ event: { type: 'tokens_revoked', tokens: { oauth: ['U1', 'U2'] } } });
    const at = (seconds: number, signed = seconds) => ({
      headers: {
        'x-slack-request-timestamp': String(seconds),
        'x-slack-signature': `v0=${hmac(`v0:${signed}:${body}`)}`,
      },
      body: Buffer.from(body),
    });
    const now = nowMs / 1000;
    expect(readWebhook(at(now), slack!, nowMs).accounts).toEqual(['U1', 'U2']);
    expect(reasonOf(() => readWebhook(at(now - 301), slack!, nowMs))).toBe('too_old');
    expect(reasonOf(() => readWebhook(at(now, now - 301), slack!, nowMs))).toBe('not_signed');
  });

  it.each([
    ['no signature', { 'x-hub-signature-256': undefined }],
    ['another signature', { 'x-hub-signature-256': `sha256=${hmac('another body')}` }],
    ['a signature by another secret', { 'x-hub-signature-256': `sha256=${hmac(revoked, 'guess')}` }],
    ['a signature without its beginning', { 'x-hub-signature-256': hmac(revoked) }],
    ['half a signature', { 'x-hub-signature-256': `sha256=${hmac(revoked).slice(0, 32)}` }],
    ['an empty signature', { 'x-hub-signature-256': 'sha256=' }],
    ['two signatures', { 'x-hub-signature-256': [`sha256=${hmac(revoked)}`, 'sha256=00'] }],
  ])('believes nothing with %s', (_what, changes) => {
    expect(reasonOf(() => readWebhook(fromGithub(revoked, changes), github!, nowMs))).toBe('not_signed');
  });

  it('takes no other event for this one', () => {
    const granted = JSON.stringify({ action: 'created', sender: { id: 1 } });
    expect(readWebhook(fromGithub(granted), github!, nowMs).accounts).toEqual([]);
    expect(readWebhook(fromGithub(revoked, { 'x-github-event': 'push' }), github!, nowMs).accounts).toEqual(
      [],
    );
  });

  it.each([
    ['without an account', { action: 'revoked', sender: {} }],
    ['with an account that is none', { action: 'revoked', sender: { id: { constructor: 1 } } }],
    ['with none of several', { action: 'revoked', sender: { id: [] } }],
  ])('does not take an event %s for done', (_what, event) => {
    expect(reasonOf(() => readWebhook(fromGithub(JSON.stringify(event)), github!, nowMs))).toBe('malformed');
  });

  it('wants the id of the delivery where there is one', () => {
    const message = fromGithub(revoked, { 'x-github-delivery': undefined });
    expect(reasonOf(() => readWebhook(message, github!, nowMs))).toBe('malformed');
  });
});
