import { PersonSessions, PersonSignIn } from '@behalf/person-sign-in';
import { Controller, Get, Inject, Req, Res, type Type, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ELICITATION_CONFIG, type ElicitationServiceConfig } from '../config.js';
import { ConnectErrorFilter } from './connect-error.filter.js';

/** Where people come back to from signing in at our own issuer. */
export function signInCallbackController({ signInCallback }: ElicitationServiceConfig['paths']): Type {
  @Controller(signInCallback)
  @UseFilters(ConnectErrorFilter)
  class SignInCallbackController {
    constructor(
      @Inject(ELICITATION_CONFIG) private readonly config: ElicitationServiceConfig,
      @Inject(PersonSignIn) private readonly signIn: PersonSignIn,
      @Inject(PersonSessions) private readonly sessions: PersonSessions,
    ) {}

    @Get()
    async finish(@Req() request: Request, @Res() response: Response): Promise<void> {
      const { sub, name, returnTo } = await this.signIn.finish(request, response);
      await this.sessions.begin({ sub, name, roles: [] }, response);
      response.set('Cache-Control', 'no-store').redirect(303, `${this.config.publicUrl}${returnTo}`);
    }
  }
  return SignInCallbackController;
}
