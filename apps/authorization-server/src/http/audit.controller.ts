import { OAuthError } from '@behalf/oauth';
import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import type { AuditCheckpoints } from '../audit-checkpoints.js';
import { ADMIN_AUTHORIZATION, AUDIT_CHECKPOINTS } from '../tokens.js';
import type { AdminAuthorization } from './admin-authorization.js';

const maxLeaves = 1000;
const fromSchema = z.coerce.number().int().nonnegative().default(0);

/** The audit log as a log: its signed head and its leaves, for whoever verifies it. */
@Controller('audit')
export class AuditController {
  constructor(
    @Inject(ADMIN_AUTHORIZATION) private readonly admins: AdminAuthorization,
    @Inject(AUDIT_CHECKPOINTS) private readonly checkpoints: AuditCheckpoints,
  ) {}

  @Get('checkpoint')
  async checkpoint(@Req() request: Request) {
    await this.admins.check(request);
    return { ...(await this.checkpoints.sign()), verifier: this.checkpoints.verifier };
  }

  @Get('leaves')
  async leaves(@Req() request: Request, @Query('from') from: string | undefined) {
    await this.admins.check(request);
    const start = fromSchema.safeParse(from);
    if (!start.success) throw new OAuthError('invalid_request', 'from is the place of a leaf');
    return { leaves: await this.checkpoints.leaves(start.data, maxLeaves) };
  }
}
