import { isLoopbackRedirect, personRecords, type ResourceRegistry } from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';
import { parseScope } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import { CLOCK, CONFIG, RECORD_STORE, sendPage } from '@behalf/service-kit';
import { Controller, Get, Inject, Param, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { ClientDirectory } from '../delegation/client-directory.js';
import { offeredDelegations } from '../delegation/offered-delegations.js';
import { type ConsentPage, consentPage } from '../pages/consent-page.js';
import { detailWords } from '../pages/detail-words.js';
import { scopeWords } from '../pages/scope-words.js';
import { signInPage } from '../pages/sign-in-page.js';
import type { UpstreamSignIn } from '../sign-in/upstream-sign-in.js';
import { CLIENT_DIRECTORY, INTERACTIONS, RESOURCE_REGISTRY, UPSTREAM_SIGN_IN } from '../tokens.js';
import type { Interaction, Interactions } from './interactions.js';
import { SignInErrorFilter } from './sign-in-error.filter.js';

/** Asks people what an authorization request waits for: who they are, or whether the client may act for them. */
@Controller()
@UseFilters(SignInErrorFilter)
export class InteractionController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(INTERACTIONS) private readonly interactions: Interactions,
    @Inject(RESOURCE_REGISTRY) private readonly resources: ResourceRegistry,
    @Inject(UPSTREAM_SIGN_IN) private readonly upstream: UpstreamSignIn | undefined,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CLIENT_DIRECTORY) private readonly directory: ClientDirectory,
  ) {}

  @Get(':uid')
  async show(@Param('uid') uid: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const interaction = await this.interactions.find(uid, request, response);
    if (interaction.prompt === 'consent') {
      sendPage(response, consentPage(await this.#describeRequest(interaction)));
    } else if (this.upstream) {
      await this.upstream.begin(uid, response);
    } else {
      const { clientName } = interaction;
      sendPage(response, signInPage({ ...this.interactions.formOf(interaction, 'sign-in'), clientName }));
    }
  }

  async #describeRequest(interaction: Interaction): Promise<ConsentPage> {
    const { clientId, clientName, redirectUri, redirectUris, resource, person = '' } = interaction;
    const found = resource === undefined ? undefined : this.resources.find(resource);
    const { lifetimes } = this.config.authorizationServer;
    const nowMs = this.clock.nowMs();
    const { config, records, resources, directory } = this;
    const offers = await offeredDelegations({ ...interaction, person }, nowMs, {
      config,
      records,
      resources,
      directory,
    });
    return {
      ...this.interactions.formOf(interaction, 'consent'),
      clientName,
      clientHost: clientId.startsWith('https://') ? new URL(clientId).host : undefined,
      redirectHost: new URL(redirectUri).host,
      isLoopbackOnly: isLoopbackRedirect(redirectUri) && redirectUris.every(isLoopbackRedirect),
      resource: found && { name: found.name, identifier: found.resource },
      permissions: scopeWords(parseScope(interaction.scope), this.config.authorizationServer),
      details: interaction.authorizationDetails.map((detail) =>
        detailWords(detail, this.config.authorizationServer),
      ),
      personName: (await this.records.get(personRecords, person))?.value.name ?? person,
      offers: offers.map(({ scopes, ...offer }) => ({
        ...offer,
        permissions: scopeWords(scopes, config.authorizationServer),
        untilMs: nowMs + lifetimes.delegationGrantSeconds * 1000,
      })),
    };
  }
}
