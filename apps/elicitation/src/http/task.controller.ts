import { elicitationRecords, pollIntervalSeconds, renderTask } from '@behalf/elicitation';
import { OAuthError, actorChain, protectedResourceMetadataUrl } from '@behalf/oauth';
import { type Clock, type RecordStore, extendDeadline } from '@behalf/ports';
import { AccessTokenVerifier, bearerChallenge, readBearerToken } from '@behalf/resource-server';
import { CLOCK, RECORD_STORE } from '@behalf/service-kit';
import { Controller, Get, Inject, Param, Req, Res, type Type } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ELICITATION_CONFIG, type ElicitationServiceConfig } from '../config.js';
import { ElicitationWaits } from '../elicitation-waits.js';

const longestWaitSeconds = 25;

/**
 * Where an agent without a person in front of it asks how far the person is. It shows a token of its own; the id alone
 * opens nothing. Waits, as long as `Prefer: wait=n` asks for, until there is something to tell.
 *
 * @see RFC 7240 §4.3
 */
export function taskController({ elicitations, connect }: ElicitationServiceConfig['paths']): Type {
  @Controller(elicitations)
  class TaskController {
    constructor(
      @Inject(ELICITATION_CONFIG) private readonly config: ElicitationServiceConfig,
      @Inject(CLOCK) private readonly clock: Clock,
      @Inject(RECORD_STORE) private readonly records: RecordStore,
      @Inject(AccessTokenVerifier) private readonly verifier: AccessTokenVerifier,
      @Inject(ElicitationWaits) private readonly waits: ElicitationWaits,
    ) {}

    @Get(':id')
    async status(@Param('id') id: string, @Req() request: Request, @Res() response: Response): Promise<void> {
      const asker = await this.#authenticate(request, response);
      const seconds = Number(
        /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/i.exec(request.get('prefer') ?? '')?.[1] ?? 0,
      );
      let found = await this.#find(id, asker);
      if (seconds > 0 && !isOver(found.status)) {
        const waitMs = Math.min(seconds, longestWaitSeconds) * 1000;
        extendDeadline(waitMs);
        await this.waits.wait(id, waitMs);
        found = await this.#find(id, asker);
      }
      response.set('Cache-Control', 'no-store').json(found);
    }

    async #find(id: string, asker: string) {
      const found = await this.records.get(elicitationRecords, id);
      // Whoever did not ask for it learns nothing of it, not even that it is there.
      if (found?.value.actors[0] !== asker)
        throw new OAuthError('invalid_request', 'there is no such elicitation', { status: 404 });
      const connectUrl = `${this.config.publicUrl}${connect}`;
      return renderTask(id, found.value, {
        nowMs: this.clock.nowMs(),
        connectUrl,
        interval: pollIntervalSeconds,
      });
    }

    /** @returns the client that asks, by a token that it got for itself */
    async #authenticate(request: Request, response: Response): Promise<string> {
      try {
        const token = readBearerToken(request.headers.authorization, new URLSearchParams());
        if (token === undefined) throw new OAuthError('invalid_token', 'an access token is needed');
        const claims = await this.verifier.verify(token, this.config.publicUrl);
        if (claims.sub !== claims.client_id || actorChain(claims.act).length > 0)
          throw new OAuthError('invalid_token', 'a token of the client itself is needed');
        return claims.client_id;
      } catch (error) {
        if (error instanceof OAuthError && error.status === 401)
          response.set(
            'WWW-Authenticate',
            bearerChallenge({
              resourceMetadata: protectedResourceMetadataUrl(this.config.publicUrl),
              scope: 'elicitation:read',
              error,
            }),
          );
        throw error;
      }
    }
  }
  return TaskController;
}

function isOver(status: string): boolean {
  return !['pending', 'opened', 'consented'].includes(status);
}
