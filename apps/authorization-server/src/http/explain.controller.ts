import { explainAs } from '@behalf/adapter-oidc-provider';
import { type ExchangeExplanation, explainExchangeRequestSchema } from '@behalf/contracts';
import { Controller, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { ProviderHolder } from '../provider-holder.js';
import { ADMIN_AUTHORIZATION, PROVIDER_HOLDER } from '../tokens.js';
import type { AdminAuthorization } from './admin-authorization.js';
import { readRequest } from './read-request.js';

/** Explains the exchanges of any client to an administrator. A client that asks about its own is the provider's. */
@Controller('exchange')
export class ExplainController {
  constructor(
    @Inject(ADMIN_AUTHORIZATION) private readonly admins: AdminAuthorization,
    @Inject(PROVIDER_HOLDER) private readonly holder: ProviderHolder,
  ) {}

  @Post('explain')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async explain(@Req() request: Request): Promise<ExchangeExplanation> {
    await this.admins.check(request);
    const {
      client_id: clientId,
      proof_jkt: jkt,
      ...parameters
    } = await readRequest(request, explainExchangeRequestSchema);
    return explainAs(this.holder.current, {
      clientId,
      parameters,
      ...(jkt !== undefined && { proof: { jkt } }),
    });
  }
}
