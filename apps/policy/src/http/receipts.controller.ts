import { type AuditLeaves, type AuditLog, issueReceipt } from '@behalf/audit';
import { OAuthError } from '@behalf/oauth';
import type { RecordStore } from '@behalf/ports';
import { AUDIT_LOG, RECORD_STORE } from '@behalf/service-kit';
import {
  Controller,
  Get,
  Header,
  Inject,
  Param,
  Query,
  Req,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { AuthzenErrorFilter } from './authzen-error.filter.js';
import { CallerAuthentication } from './caller-authentication.js';
import { EchoRequestId } from './echo-request-id.js';

/** Heads are published so often, if the log grows. */
const retryAfterSeconds = 5;
const placeSchema = z.object({
  index: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  leafHash: z.string().regex(/^[\w-]{43}$/),
});

/** What shows that a decision was recorded, by the place that its answer named. */
@Controller('access/v1/receipts')
@UseFilters(AuthzenErrorFilter)
@UseInterceptors(EchoRequestId)
export class ReceiptsController {
  constructor(
    @Inject(CallerAuthentication) private readonly callers: CallerAuthentication,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly log: AuditLog & AuditLeaves,
  ) {}

  @Get(':index')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  async receipt(
    @Req() request: Request,
    @Param('index') index: string,
    @Query('leaf_hash') leafHash: string | undefined,
  ): Promise<string> {
    await this.callers.authenticate(request);
    const place = placeSchema.safeParse({ index, leafHash });
    if (!place.success) throw new OAuthError('invalid_request', 'a place and a leaf_hash are needed');
    const issued = await issueReceipt(place.data, this.records, this.log);
    if (issued === 'unknown')
      throw new OAuthError('invalid_request', 'there is no such record', { status: 404 });
    if (issued === 'too_early')
      throw new OAuthError('temporarily_unavailable', 'no signed head covers the record yet', {
        retryAfterSeconds,
      });
    return issued.receipt;
  }
}
