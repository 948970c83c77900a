import { type AuthorizationDetail, OAuthError, parseAuthorizationDetails } from '@behalf/oauth';
import { readFormBody } from '@behalf/service-kit';
import type { Request, Response } from 'express';
import { errors, type InteractionResults, type Provider } from 'oidc-provider';
import type { ProviderHolder } from '../provider-holder.js';
import type { FormBinding, FormGuard } from './form-guard.js';

export type PromptName = 'login' | 'consent';

/** An authorization request that waits for a person, with its parameters as they were settled. */
export interface Interaction {
  uid: string;
  prompt: string;
  clientId: string;
  clientName: string;
  redirectUris: readonly string[];
  redirectUri: string;
  resource: string | undefined;
  scope: string | undefined;
  authorizationDetails: readonly AuthorizationDetail[];
  person: string | undefined;
  grantId: string | undefined;
  sessionUid: string | undefined;
}

/** The interactions of oidc-provider, as the pages use them. */
export class Interactions {
  constructor(
    private readonly holder: ProviderHolder,
    private readonly guard: FormGuard,
    /** `<issuer>/<path>` that interactions live below. */
    private readonly baseUrl: string,
  ) {}

  get provider(): Provider {
    return this.holder.current;
  }

  /**
   * The interaction that the browser's cookie stands for, if it is the one in the URL.
   *
   * @throws OAuthError `invalid_request` when it is over, or another browser's
   */
  async find(uid: string, request: Request, response: Response): Promise<Interaction> {
    const found = await this.#details(request, response);
    if (found?.uid !== uid) throw new OAuthError('invalid_request', 'this sign-in is over');
    const clientId = textOf(found.params['client_id']) ?? '';
    const client = await this.provider.Client.find(clientId);
    return {
      uid,
      prompt: found.prompt.name,
      clientId,
      clientName: client?.clientName ?? clientId,
      redirectUris: client?.redirectUris ?? [],
      redirectUri: textOf(found.params['redirect_uri']) ?? '',
      resource: textOf(found.params['resource']),
      scope: textOf(found.params['scope']),
      authorizationDetails: readDetails(found.params['authorization_details']),
      person: found.session?.accountId,
      grantId: found.grantId,
      sessionUid: found.session?.uid,
    };
  }

  /** Where the form of a page goes, and the code that proves it is ours. */
  formOf(interaction: Interaction, name: 'sign-in' | 'consent'): { action: string; csrf: string } {
    return {
      action: `${this.baseUrl}/${interaction.uid}/${name}`,
      csrf: this.guard.code(bindingOf(interaction, interaction.prompt)),
    };
  }

  /** @throws OAuthError `access_denied` for a form that is not of this interaction's page */
  async readForm(
    request: Request,
    interaction: Interaction,
    prompt: PromptName,
  ): Promise<Map<string, string>> {
    const form = await readFormBody(request);
    this.guard.check(request, form, bindingOf(interaction, prompt));
    return form;
  }

  /** Sends the person back into the authorization request. */
  finish(request: Request, response: Response, result: InteractionResults): Promise<void> {
    return this.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  }

  async #details(
    request: Request,
    response: Response,
  ): Promise<Awaited<ReturnType<Provider['interactionDetails']>> | undefined> {
    try {
      return await this.provider.interactionDetails(request, response);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
  }
}

function bindingOf({ uid, sessionUid }: Interaction, prompt: string): FormBinding {
  return { uid, prompt, sessionUid };
}

/** They have been checked when the request came. */
function readDetails(value: unknown): AuthorizationDetail[] {
  return typeof value === 'string' ? parseAuthorizationDetails(value) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
