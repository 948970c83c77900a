import { OAuthError } from '@behalf/oauth';
import { readFormBody } from '@behalf/service-kit';
import type { Request, Response } from 'express';
import type { FormBinding, FormGuard } from '../http/form-guard.js';
import type { PersonSessions, SignedInPerson } from './person-sessions.js';

/** The forms of the page where people see who acts for them. */
export class AccountForms {
  constructor(
    private readonly sessions: PersonSessions,
    private readonly guard: FormGuard,
  ) {}

  /** The code that proves that a form is of this person's page. */
  code(person: SignedInPerson): string {
    return this.guard.code(bindingOf(person));
  }

  /** @throws OAuthError `access_denied` unless the person sent it from their page */
  async read(
    request: Request,
    response: Response,
  ): Promise<{ person: SignedInPerson; form: Map<string, string> }> {
    const person = await this.sessions.find(request, response);
    if (!person) throw new OAuthError('access_denied', 'your sign-in is over; open the page again');
    const form = await readFormBody(request);
    this.guard.check(request, form, bindingOf(person));
    return { person, form };
  }
}

function bindingOf({ sub, sessionUid }: SignedInPerson): FormBinding {
  return { uid: sub, prompt: 'account', sessionUid };
}
