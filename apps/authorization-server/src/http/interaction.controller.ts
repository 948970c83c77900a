import type { AuditLog } from '@behalf/audit';
import {
  isLoopbackRedirect,
  personRecords,
  redirectHost,
  rememberConsent,
  type ResourceRegistry,
  savePerson,
  signInScopes,
  transact,
} from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';
import { OAuthError } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import {
  AUDIT_LOG,
  CLOCK,
  CONFIG,
  type Logger,
  LOGGER,
  readFormBody,
  RECORD_STORE,
} from '@behalf/service-kit';
import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { errors, type InteractionResults, type Provider } from 'oidc-provider';
import type { AttemptLimiter } from '../attempt-limiter.js';
import { consentPage } from '../pages/consent-page.js';
import { errorPage } from '../pages/message-pages.js';
import { signInPage } from '../pages/sign-in-page.js';
import type { ProviderHolder } from '../provider-holder.js';
import { checkLocalPassword } from '../sign-in/local-sign-in.js';
import type { UpstreamSignIn } from '../sign-in/upstream-sign-in.js';
import {
  FORM_GUARD,
  PROVIDER_HOLDER,
  RESOURCE_REGISTRY,
  SIGN_IN_LIMITER,
  UPSTREAM_SIGN_IN,
} from '../tokens.js';
import type { FormBinding, FormGuard } from './form-guard.js';
import { sendPage } from './send-page.js';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** The two questions people are asked: who they are, and whether a client may act for them. */
@Controller()
export class InteractionController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(PROVIDER_HOLDER) private readonly holder: ProviderHolder,
    @Inject(RESOURCE_REGISTRY) private readonly resources: ResourceRegistry,
    @Inject(FORM_GUARD) private readonly guard: FormGuard,
    @Inject(SIGN_IN_LIMITER) private readonly limiter: AttemptLimiter,
    @Inject(UPSTREAM_SIGN_IN) private readonly upstream: UpstreamSignIn | undefined,
  ) {}

  @Get(':uid')
  async show(@Param('uid') uid: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const interaction = await this.#find(uid, request, response);
    if (!interaction) return;
    if (interaction.prompt.name === 'consent') return this.#showConsent(interaction, response);
    if (this.upstream) return this.#beginUpstream(this.upstream, interaction.uid, response);
    sendPage(response, signInPage(await this.#signInForm(interaction)));
  }

  async #beginUpstream(upstream: UpstreamSignIn, uid: string, response: Response): Promise<void> {
    try {
      await upstream.begin(uid, response);
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      this.logger.warn({ err: error.cause ?? error }, 'upstream sign-in cannot begin');
      if (error.retryAfterSeconds !== undefined) response.set('Retry-After', String(error.retryAfterSeconds));
      sendPage(response, errorPage(error.toJSON()), error.status);
    }
  }

  @Post(':uid/sign-in')
  async signIn(@Param('uid') uid: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const interaction = await this.#find(uid, request, response);
    if (!interaction) return;
    const { signIn } = this.config.authorizationServer;
    const form = await readFormBody(request);
    if (!this.#isOurs(request, response, form, interaction, 'login')) return;
    if (signIn.method !== 'local') throw new OAuthError('invalid_request', 'there is no local sign-in');

    const username = form.get('username') ?? '';
    const attempt = JSON.stringify([username, request.socket.remoteAddress]);
    const waitSeconds = this.limiter.tryAttempt(attempt);
    const refuse = async (error: string, status: number): Promise<void> => {
      await this.#record({
        type: 'sign-in',
        outcome: 'refused',
        client: String(interaction.params['client_id']),
      });
      sendPage(response, signInPage({ ...(await this.#signInForm(interaction)), username, error }), status);
    };
    if (waitSeconds !== undefined) {
      response.set('Retry-After', String(waitSeconds));
      return refuse('Too many attempts. Wait a little and try again.', 429);
    }
    const user = checkLocalPassword(signIn.users, username, form.get('password') ?? '');
    if (!user) return refuse('The user name or the password is wrong.', 401);

    this.limiter.forgive(attempt);
    await savePerson(this.records, user.username, { name: user.name, groups: user.groups });
    await this.#record({ type: 'sign-in', outcome: 'allowed', person: user.username });
    await this.#finish(request, response, { login: { accountId: user.username, amr: ['pwd'] } });
  }

  @Post(':uid/consent')
  async consent(
    @Param('uid') uid: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const interaction = await this.#find(uid, request, response);
    if (!interaction) return;
    const form = await readFormBody(request);
    if (!this.#isOurs(request, response, form, interaction, 'consent')) return;
    const person = interaction.session?.accountId;
    if (person === undefined) throw new OAuthError('invalid_request', 'nobody is signed in');
    const client = String(interaction.params['client_id']);

    if (form.get('decision') !== 'allow') {
      await this.#record({ type: 'consent', outcome: 'refused', person, client });
      return this.#finish(request, response, {
        error: 'access_denied',
        error_description: 'the person said no',
      });
    }
    const grantId = await this.#grant(interaction, person, client);
    await this.#record({
      type: 'consent',
      outcome: 'allowed',
      person,
      client,
      details: { grant_id: grantId },
    });
    await this.#finish(request, response, { consent: { grantId } });
  }

  async #grant(interaction: Interaction, person: string, clientId: string): Promise<string> {
    const { Grant } = this.holder.current;
    const known = interaction.grantId === undefined ? undefined : await Grant.find(interaction.grantId);
    const grant = known ?? new Grant({ accountId: person, clientId });
    const { resource, scope, redirect_uri: redirectUri } = interaction.params;
    const scopes = String(scope ?? '')
      .split(' ')
      .filter(Boolean);
    const found = typeof resource === 'string' ? this.resources.find(resource) : undefined;
    if (found)
      grant.addResourceScope(
        found.resource,
        scopes.filter((value) => found.scopes.includes(value)),
      );
    grant.addOIDCScope(scopes.filter((value) => signInScopes.includes(value)));
    // A decision renews what was agreed to before; without this it would keep the old end.
    delete (grant as { exp?: number }).exp;
    const grantId = await grant.save();
    await transact(this.records, (transaction) =>
      rememberConsent(transaction, {
        person,
        clientId,
        grantId,
        redirectHost: redirectHost(String(redirectUri)),
      }),
    );
    return grantId;
  }

  async #showConsent(interaction: Interaction, response: Response): Promise<void> {
    const { issuer, paths, scopes: words } = this.config.authorizationServer;
    const { client_id: clientId, redirect_uri: redirectUri, resource, scope } = interaction.params;
    const client = await this.holder.current.Client.find(String(clientId));
    const person = await this.records.get(personRecords, interaction.session?.accountId ?? '');
    const found = typeof resource === 'string' ? this.resources.find(resource) : undefined;
    const redirectUris = client?.redirectUris ?? [];
    sendPage(
      response,
      consentPage({
        action: `${issuer}${paths.interaction}/${interaction.uid}/consent`,
        csrf: this.guard.code(this.#binding(interaction)),
        clientName: client?.clientName ?? String(clientId),
        clientHost: String(clientId).startsWith('https://') ? new URL(String(clientId)).host : undefined,
        redirectHost: new URL(String(redirectUri)).host,
        isLoopbackOnly: isLoopbackRedirect(String(redirectUri)) && redirectUris.every(isLoopbackRedirect),
        resource: found && { name: found.name, identifier: found.resource },
        permissions: String(scope ?? '')
          .split(' ')
          .filter(Boolean)
          .map((value) => words[value] ?? signInWords[value] ?? value),
        personName: person?.value.name ?? interaction.session?.accountId ?? '',
      }),
    );
  }

  async #signInForm(interaction: Interaction): Promise<{ action: string; csrf: string; clientName: string }> {
    const { issuer, paths } = this.config.authorizationServer;
    const clientId = String(interaction.params['client_id']);
    const client = await this.holder.current.Client.find(clientId);
    return {
      action: `${issuer}${paths.interaction}/${interaction.uid}/sign-in`,
      csrf: this.guard.code(this.#binding(interaction)),
      clientName: client?.clientName ?? clientId,
    };
  }

  /** The interaction that the browser's cookie stands for, if it is the one in the URL; else the page is answered. */
  async #find(uid: string, request: Request, response: Response): Promise<Interaction | undefined> {
    try {
      const interaction = await this.holder.current.interactionDetails(request, response);
      if (interaction.uid === uid) return interaction;
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound)) throw error;
    }
    sendPage(
      response,
      errorPage({ error: 'invalid_request', error_description: 'this sign-in is over' }),
      400,
    );
    return undefined;
  }

  #isOurs(
    request: Request,
    response: Response,
    form: ReadonlyMap<string, string>,
    interaction: Interaction,
    prompt: string,
  ): boolean {
    try {
      this.guard.check(request, form, { ...this.#binding(interaction), prompt });
      return true;
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      sendPage(response, errorPage(error.toJSON()), error.status);
      return false;
    }
  }

  #binding(interaction: Interaction): FormBinding {
    return { uid: interaction.uid, prompt: interaction.prompt.name, sessionUid: interaction.session?.uid };
  }

  #finish(request: Request, response: Response, result: InteractionResults): Promise<void> {
    return this.holder.current.interactionFinished(request, response, result, {
      mergeWithLastSubmission: true,
    });
  }

  #record(record: Omit<Parameters<AuditLog['append']>[0], 'occurredAtMs'>): Promise<void> {
    return this.audit.append({ ...record, occurredAtMs: this.clock.nowMs() });
  }
}

const signInWords: Record<string, string> = {
  openid: 'Know who you are',
  profile: 'See your name and your groups',
};
