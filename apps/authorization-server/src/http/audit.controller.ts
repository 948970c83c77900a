import { parseTilePath } from '@behalf/audit';
import { OAuthError } from '@behalf/oauth';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { AuditCheckpoints } from '../audit-checkpoints.js';
import { ADMIN_AUTHORIZATION, AUDIT_CHECKPOINTS } from '../tokens.js';
import type { AdminAuthorization } from './admin-authorization.js';

/** A witness sees hashes, an auditor also what was recorded about people. */
const forWitnesses = ['admin', 'audit:read', 'audit:witness'];
const forAuditors = ['admin', 'audit:read'];

/**
 * The audit log as a tiled transparency log, for whoever verifies it.
 *
 * @see c2sp.org/tlog-tiles
 */
@Controller('audit')
export class AuditController {
  constructor(
    @Inject(ADMIN_AUTHORIZATION) private readonly admins: AdminAuthorization,
    @Inject(AUDIT_CHECKPOINTS) private readonly checkpoints: AuditCheckpoints,
  ) {}

  /** What checkpoints are verified with. Whoever asks only here trusts the log about itself. */
  @Get('key')
  async key(@Req() request: Request) {
    await this.admins.check(request, forWitnesses);
    return { verifier: this.checkpoints.verifier };
  }

  @Get('checkpoint')
  async checkpoint(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.admins.check(request, forWitnesses);
    const { checkpoint } = await this.checkpoints.sign();
    response.set('Cache-Control', 'private, no-cache');
    response.type('text/plain; charset=utf-8').send(checkpoint);
  }

  @Get('tile/*path')
  async tile(@Req() request: Request, @Res() response: Response): Promise<void> {
    const path = request.path.slice(request.path.lastIndexOf('/tile/') + 1);
    const tile = parseTilePath(path);
    await this.admins.check(request, tile?.level === 'entries' ? forAuditors : forWitnesses);
    const bytes = tile && (await this.checkpoints.tile(tile));
    if (!bytes) throw new OAuthError('invalid_request', 'the log has no such tile', { status: 404 });
    // It never changes; what is private is kept by nobody but who asked.
    response.set('Cache-Control', 'private, max-age=31536000, immutable');
    response.type('application/octet-stream').send(bytes);
  }
}
