import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import { type KeyEncryptionKey, SealingError, open, seal } from '@behalf/sealing';
import type { Request, Response } from 'express';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { readCookie } from './read-cookie.js';

/** Long enough to read a request, too short for an unlocked screen, or a group that was left, to matter for long. */
const sessionSeconds = 300;

const sessionSchema = z.object({
  sub: z.string(),
  name: z.string(),
  isApprover: z.boolean(),
  /** Key of the codes that this session's forms carry. */
  formKey: z.string(),
  expiresAtMs: z.number(),
});
export type ApproverSession = z.output<typeof sessionSchema>;

/**
 * Who is looking at the page, in a sealed cookie: nothing is stored, and nobody without the deployment's key can read
 * or make one. It opens nothing but the page, and is never accepted in place of a token.
 */
export class ApproverSessions {
  readonly #isHttps: boolean;
  readonly #cookie: string;

  constructor(
    private readonly publicUrl: string,
    private readonly keyEncryptionKey: KeyEncryptionKey,
    private readonly clock: Clock,
  ) {
    this.#isHttps = publicUrl.startsWith('https:');
    this.#cookie = this.#isHttps ? '__Host-approver' : 'approver';
  }

  async begin(
    person: Pick<ApproverSession, 'sub' | 'name' | 'isApprover'>,
    response: Response,
  ): Promise<void> {
    const { sub, name, isApprover } = person;
    const session: ApproverSession = {
      sub,
      name,
      isApprover,
      formKey: randomBytes(32).toString('base64url'),
      expiresAtMs: this.clock.nowMs() + sessionSeconds * 1000,
    };
    const sealed = await seal(this.keyEncryptionKey, Buffer.from(JSON.stringify(session)), this.#place);
    response.cookie(this.#cookie, sealed, {
      httpOnly: true,
      // Lax, because the person arrives by a link from their client and by the redirect of the sign-in.
      sameSite: 'lax',
      secure: this.#isHttps,
      path: '/',
      maxAge: sessionSeconds * 1000,
    });
  }

  /** Undefined when there is none, or it is over, or it was not made here. */
  async of(request: Request): Promise<ApproverSession | undefined> {
    const sealed = readCookie(request, this.#cookie);
    if (sealed === undefined) return undefined;
    try {
      const text = Buffer.from(await open(this.keyEncryptionKey, sealed, this.#place)).toString('utf8');
      const session = sessionSchema.parse(JSON.parse(text));
      return session.expiresAtMs > this.clock.nowMs() ? session : undefined;
    } catch (error) {
      if (error instanceof SealingError) return undefined;
      throw error;
    }
  }

  /** What the form of one request carries in this session. */
  formCode({ formKey }: ApproverSession, requestId: string): string {
    return createHmac('sha256', formKey).update(requestId).digest('base64url');
  }

  /**
   * Keeps other sites from submitting the form: its code has to be there, and the browser's word on where it comes from
   * must not contradict.
   *
   * @throws OAuthError `access_denied`
   */
  checkForm(
    request: Request,
    form: ReadonlyMap<string, string>,
    session: ApproverSession,
    requestId: string,
  ): void {
    const { origin, 'sec-fetch-site': site } = request.headers;
    const isForeign =
      (origin !== undefined && origin !== new URL(this.publicUrl).origin) ||
      (site !== undefined && site !== 'same-origin' && site !== 'none');
    const expected = Buffer.from(this.formCode(session, requestId));
    const presented = Buffer.from(form.get('csrf') ?? '');
    const matches = presented.length === expected.length && timingSafeEqual(presented, expected);
    if (isForeign || !matches) throw new OAuthError('access_denied', 'the form was not sent from our page');
  }

  get #place(): Record<string, string> {
    return { kind: 'approver-session', service: this.publicUrl };
  }
}
