import type { AuditLog } from '@behalf/audit';
import { readOwnAccessToken } from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';
import { OAuthError, parseScope } from '@behalf/oauth';
import { type Clock, RecordConflict, type RecordStore } from '@behalf/ports';
import { type AccessTokenClaims, readBearerToken } from '@behalf/resource-server';
import { AUDIT_LOG, CLOCK, CONFIG, RECORD_STORE } from '@behalf/service-kit';
import type { SigningKeys } from '@behalf/signing-keys';
import { Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { IssuerKeys } from '../issuer-keys.js';
import type { KeyRotation } from '../key-rotation.js';
import { ISSUER_KEYS, KEY_ROTATION, SIGNING_KEYS } from '../tokens.js';

const auditPageSize = 100;

/** What operators call. A protected resource of its own: tokens for it come by client credentials. */
@Controller()
export class AdminController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(SIGNING_KEYS) private readonly signingKeys: SigningKeys,
    @Inject(ISSUER_KEYS) private readonly issuerKeys: IssuerKeys,
    @Inject(KEY_ROTATION) private readonly rotation: KeyRotation,
  ) {}

  @Post('signing-keys/rotate')
  @HttpCode(200)
  async rotate(@Req() request: Request): Promise<{ kids: string[] }> {
    const { client_id: client } = await this.#authorize(request);
    const kids = await this.signingKeys.rotate().catch((cause: unknown) => {
      if (!(cause instanceof RecordConflict)) throw cause;
      throw new OAuthError('temporarily_unavailable', 'the keys are being rotated already', {
        cause,
        retryAfterSeconds: 1,
      });
    });
    await this.rotation.take();
    await this.audit.append({
      type: 'key-rotation',
      outcome: 'allowed',
      occurredAtMs: this.clock.nowMs(),
      client,
      details: { kids },
    });
    return { kids };
  }

  @Get('audit')
  async latest(@Req() request: Request): Promise<{ records: unknown[] }> {
    await this.#authorize(request);
    return { records: await this.audit.latest(auditPageSize) };
  }

  /** @throws OAuthError `invalid_token`, `insufficient_scope` */
  async #authorize(request: Request): Promise<AccessTokenClaims> {
    try {
      return await this.#verify(request);
    } catch (error) {
      // RFC 6750 §3: the refusal names the scheme, and what was wrong if a token came at all.
      const presented = request.headers.authorization !== undefined && error instanceof OAuthError;
      request.res?.set('WWW-Authenticate', presented ? `Bearer error="${error.code}"` : 'Bearer');
      throw error;
    }
  }

  async #verify(request: Request): Promise<AccessTokenClaims> {
    const { issuer, paths } = this.config.authorizationServer;
    const token = readBearerToken(request.headers.authorization, new URL(request.url, issuer).searchParams);
    if (token === undefined) throw new OAuthError('invalid_token', 'an access token is required');
    const claims = await readOwnAccessToken(token, {
      issuer,
      verificationKeys: this.issuerKeys.get,
      records: this.records,
      clock: this.clock,
    });
    if (claims.aud !== `${issuer}${paths.admin}`) {
      throw new OAuthError('invalid_token', 'the access token is for another resource');
    }
    if (!parseScope(claims.scope).has('admin')) throw new OAuthError('insufficient_scope', 'admin is needed');
    return claims;
  }
}
