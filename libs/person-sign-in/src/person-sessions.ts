import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import { type KeyEncryptionKey, SealingError, open, seal } from '@behalf/sealing';
import type { Request, Response } from 'express';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { readCookie } from './read-cookie.js';

const sessionSchema = z.object({
  sub: z.string(),
  name: z.string(),
  /** What the service that began the session knows of the person. */
  roles: z.array(z.string()),
  /** Key of the codes that this session's forms carry. */
  formKey: z.string(),
  expiresAtMs: z.number(),
});
export type PersonSession = z.output<typeof sessionSchema>;

export interface PersonSessionsOptions {
  publicUrl: string;
  /** Names the cookie, and what is sealed in it. */
  name: string;
  /** Long enough to read a page, too short for an unlocked screen, or a group that was left, to matter for long. */
  sessionSeconds: number;
}

/**
 * Who is looking at the pages of a service, in a sealed cookie: nothing is stored, and nobody without the deployment's
 * key can read or make one. It opens nothing but these pages, and is never accepted in place of a token.
 */
export class PersonSessions {
  readonly #isHttps: boolean;
  readonly #cookie: string;

  constructor(
    private readonly options: PersonSessionsOptions,
    private readonly keyEncryptionKey: KeyEncryptionKey,
    private readonly clock: Clock,
  ) {
    this.#isHttps = options.publicUrl.startsWith('https:');
    this.#cookie = this.#isHttps ? `__Host-${options.name}` : options.name;
  }

  async begin(
    { sub, name, roles }: Pick<PersonSession, 'sub' | 'name' | 'roles'>,
    response: Response,
  ): Promise<void> {
    const maxAge = this.options.sessionSeconds * 1000;
    const session: PersonSession = {
      sub,
      name,
      roles,
      formKey: randomBytes(32).toString('base64url'),
      expiresAtMs: this.clock.nowMs() + maxAge,
    };
    const sealed = await seal(this.keyEncryptionKey, Buffer.from(JSON.stringify(session)), this.#place);
    response.cookie(this.#cookie, sealed, {
      httpOnly: true,
      // Lax, because the person arrives by a link from their client and by the redirect of the sign-in.
      sameSite: 'lax',
      secure: this.#isHttps,
      path: '/',
      maxAge,
    });
  }

  /** Undefined when there is none, or it is over, or it was not made here. */
  async of(request: Request): Promise<PersonSession | undefined> {
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

  /** What the form about one thing carries in this session. */
  formCode({ formKey }: PersonSession, thing: string): string {
    return createHmac('sha256', formKey).update(thing).digest('base64url');
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
    session: PersonSession,
    thing: string,
  ): void {
    const { origin, 'sec-fetch-site': site } = request.headers;
    const isForeign =
      (origin !== undefined && origin !== new URL(this.options.publicUrl).origin) ||
      (site !== undefined && site !== 'same-origin' && site !== 'none');
    const expected = Buffer.from(this.formCode(session, thing));
    const presented = Buffer.from(form.get('csrf') ?? '');
    const matches = presented.length === expected.length && timingSafeEqual(presented, expected);
    if (isForeign || !matches) throw new OAuthError('access_denied', 'the form was not sent from our page');
  }

  get #place(): Record<string, string> {
    return { kind: `${this.options.name}-session`, service: this.options.publicUrl };
  }
}
