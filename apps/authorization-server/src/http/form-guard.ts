import { createHmac, timingSafeEqual } from 'node:crypto';
import { OAuthError } from '@behalf/oauth';
import type { Request } from 'express';

/** Which form of which interaction, in whose session. */
export interface FormBinding {
  uid: string;
  prompt: string;
  sessionUid: string | undefined;
}

/**
 * Keeps other sites from submitting our forms: every form carries a code bound to its interaction and session, and the
 * browser's word on where it comes from must not contradict.
 */
export class FormGuard {
  constructor(
    private readonly key: string,
    private readonly issuer: string,
  ) {}

  code({ uid, prompt, sessionUid }: FormBinding): string {
    return createHmac('sha256', this.key)
      .update(JSON.stringify(['form', uid, prompt, sessionUid ?? null]))
      .digest('base64url');
  }

  /** @throws OAuthError `access_denied` */
  check(request: Request, form: ReadonlyMap<string, string>, binding: FormBinding): void {
    const { origin, 'sec-fetch-site': site } = request.headers;
    const isForeign =
      (origin !== undefined && origin !== new URL(this.issuer).origin) ||
      (site !== undefined && site !== 'same-origin' && site !== 'none');
    const expected = Buffer.from(this.code(binding));
    const presented = Buffer.from(form.get('csrf') ?? '');
    const matches = presented.length === expected.length && timingSafeEqual(presented, expected);
    if (isForeign || !matches) throw new OAuthError('access_denied', 'the form was not sent from our page');
  }
}
