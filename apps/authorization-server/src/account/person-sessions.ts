import { accountClientId, personRecords } from '@behalf/adapter-oidc-provider';
import type { AuthorizationServerConfig } from '@behalf/config';
import type { RecordReader } from '@behalf/ports';
import { createHash, randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import type { ProviderHolder } from '../provider-holder.js';

/** The person whose browser this is. */
export interface SignedInPerson {
  sub: string;
  name: string;
  sessionUid: string;
}

/** Where a sign-in leads back to: a page of ours, named by this and never by a URL. */
export type ReturnTo = { page: 'account' } | { page: 'delegation'; id: string };

const accountState = 'me';
const delegationState = /^delegation\.([A-Za-z0-9_-]{1,64})$/;

/** Who is signed in at the issuer, for the issuer's own pages: the session of oidc-provider, and no other. */
export class PersonSessions {
  constructor(
    private readonly config: AuthorizationServerConfig,
    private readonly holder: ProviderHolder,
    private readonly records: RecordReader,
  ) {}

  /** Undefined when nobody is, or the session is over. */
  async find(request: Request, response: Response): Promise<SignedInPerson | undefined> {
    const provider = this.holder.current;
    const session = await provider.Session.get(provider.createContext(request, response));
    const { accountId: sub, uid } = session;
    const person = sub === undefined ? undefined : await this.records.get(personRecords, sub);
    if (sub === undefined || person === undefined) return undefined;
    return { sub, name: person.value.name, sessionUid: uid };
  }

  /** Sends somebody to sign in, and then back to a page. */
  signIn(returnTo: ReturnTo, response: Response): void {
    const { issuer, paths } = this.config;
    const url = new URL(`${issuer}${paths.authorization}`);
    // The code is never redeemed, by us or by anybody: no one knows what hashes to the challenge.
    const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
    url.search = new URLSearchParams({
      client_id: accountClientId,
      response_type: 'code',
      redirect_uri: `${issuer}${paths.account}/signed-in`,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: returnTo.page === 'account' ? accountState : `delegation.${returnTo.id}`,
    }).toString();
    response.set('Cache-Control', 'no-store').redirect(303, url.href);
  }

  /** The page that `state` names: one of ours, whatever it says. */
  readState(state: unknown): ReturnTo {
    const id = typeof state === 'string' ? delegationState.exec(state)?.[1] : undefined;
    return id === undefined ? { page: 'account' } : { page: 'delegation', id };
  }

  urlOf(returnTo: ReturnTo): string {
    const { issuer, paths } = this.config;
    return returnTo.page === 'account'
      ? `${issuer}${paths.account}`
      : `${issuer}${paths.delegations}/${returnTo.id}`;
  }

  get signOutUrl(): string {
    return `${this.config.issuer}${this.config.paths.endSession}`;
  }
}
