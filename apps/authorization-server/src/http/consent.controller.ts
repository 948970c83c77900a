import { extendGrant, type ResourceRegistry } from '@behalf/adapter-oidc-provider';
import type { AuditLog } from '@behalf/audit';
import { OAuthError } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, RECORD_STORE } from '@behalf/service-kit';
import { Controller, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import { INTERACTIONS, RESOURCE_REGISTRY } from '../tokens.js';
import type { Interactions } from './interactions.js';
import { PageErrorFilter } from './page-error.filter.js';

/** Takes a person's decision about a client. Anything but "allow" is a no. */
@Controller()
@UseFilters(PageErrorFilter)
export class ConsentController {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(INTERACTIONS) private readonly interactions: Interactions,
    @Inject(RESOURCE_REGISTRY) private readonly resources: ResourceRegistry,
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
}
