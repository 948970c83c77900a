import { extendGrant, type ResourceRegistry } from '@behalf/adapter-oidc-provider';
import type { AuditLog } from '@behalf/audit';
import { OAuthError } from '@behalf/oauth';
import type { BehalfConfig } from '@behalf/config';
import { type DelegationDependencies, makeGrant } from '@behalf/delegation-grants';
import type { Clock, RecordStore } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, CONFIG, RECORD_STORE } from '@behalf/service-kit';
import { Controller, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { ClientDirectory } from '../delegation/client-directory.js';
import { offeredDelegations } from '../delegation/offered-delegations.js';
import { CLIENT_DIRECTORY, DELEGATION, INTERACTIONS, RESOURCE_REGISTRY } from '../tokens.js';
import type { Interaction, Interactions } from './interactions.js';
import { SignInErrorFilter } from './sign-in-error.filter.js';

/** Takes a person's decision about a client. Anything but "allow" is a no. */
@Controller()
@UseFilters(SignInErrorFilter)
export class ConsentController {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(INTERACTIONS) private readonly interactions: Interactions,
    @Inject(RESOURCE_REGISTRY) private readonly resources: ResourceRegistry,
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLIENT_DIRECTORY) private readonly directory: ClientDirectory,
    @Inject(DELEGATION) private readonly delegation: DelegationDependencies,
  ) {}

  @Post(':uid/consent')
  async decide(@Param('uid') uid: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const interaction = await this.interactions.find(uid, request, response);
    const form = await this.interactions.readForm(request, interaction, 'consent');
    const { person, clientId: client } = interaction;
    if (person === undefined) throw new OAuthError('invalid_request', 'nobody is signed in');
    const record = { type: 'consent', occurredAtMs: this.clock.nowMs(), person, client };

    if (form.get('decision') !== 'allow') {
      await this.audit.append({ ...record, outcome: 'refused' });
      const denied = { error: 'access_denied', error_description: 'the person said no' };
      return this.interactions.finish(request, response, denied);
    }
    await this.#giveDelegations({ ...interaction, person }, form);
    const grantId = await extendGrant(
      this.interactions.provider,
      { ...interaction, person },
      {
        records: this.records,
        resources: this.resources,
        record: (grant) => this.audit.append({ ...record, outcome: 'allowed', details: { grant_id: grant } }),
      },
    );
    await this.interactions.finish(request, response, { consent: { grantId } });
  }
  /** Makes a grant of each delegation that was offered and ticked; a field that names another one gives nothing. */
  async #giveDelegations(
    request: Interaction & { person: string },
    form: ReadonlyMap<string, string>,
  ): Promise<void> {
    const nowMs = this.clock.nowMs();
    const { config, records, resources, directory } = this;
    const offers = await offeredDelegations(request, nowMs, { config, records, resources, directory });
    const { person } = request;
    for (const { field, agent, resource, scopes, purpose } of offers) {
      if (form.get(field) !== 'yes') continue;
      const authorizationDetails: [] = [];
      await makeGrant(
        {
          person,
          agent,
          resource: resource.identifier,
          scopes,
          authorizationDetails,
          purpose,
          origin: 'sign-in',
        },
        { by: { person }, nowMs },
        this.delegation,
      );
    }
  }
}
