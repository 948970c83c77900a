import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import { OAuthError } from '@behalf/oauth';
import { type Clock, RecordConflict } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, CONFIG } from '@behalf/service-kit';
import type { SigningKeys } from '@behalf/signing-keys';
import { Controller, Get, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { KeyRotation } from '../key-rotation.js';
import { ADMIN_AUTHORIZATION, KEY_ROTATION, SIGNING_KEYS } from '../tokens.js';
import type { AdminAuthorization } from './admin-authorization.js';
import { adminOpenApi } from './admin-openapi.js';

const auditPageSize = 100;

/** What operators call. A protected resource of its own: tokens for it come by client credentials. */
@Controller()
export class AdminController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(SIGNING_KEYS) private readonly signingKeys: SigningKeys,
    @Inject(ADMIN_AUTHORIZATION) private readonly admins: AdminAuthorization,
    @Inject(KEY_ROTATION) private readonly rotation: KeyRotation,
  ) {}

  @Post('signing-keys/rotate')
  @HttpCode(200)
  async rotate(@Req() request: Request): Promise<{ kids: string[] }> {
    const { client_id: client } = await this.admins.check(request);
    // Before it is done: what cannot be recorded does not happen. Which keys came is in the event.
    const occurredAtMs = this.clock.nowMs();
    await this.audit.append({ type: 'key-rotation', outcome: 'allowed', occurredAtMs, client });
    const kids = await this.signingKeys.rotate().catch((cause: unknown) => {
      if (!(cause instanceof RecordConflict)) throw cause;
      throw new OAuthError('temporarily_unavailable', 'the keys are being rotated already', {
        cause,
        retryAfterSeconds: 1,
      });
    });
    await this.rotation.take();
    return { kids };
  }

  @Get('audit')
  async latest(@Req() request: Request): Promise<{ records: unknown[] }> {
    await this.admins.check(request);
    return { records: await this.audit.latest(auditPageSize) };
  }

  /** Public: it says how to ask, and nothing about this deployment but its address. */
  @Get('openapi.json')
  @Header('Cache-Control', 'public, max-age=300')
  describe(): object {
    return adminOpenApi(this.config);
  }
}
