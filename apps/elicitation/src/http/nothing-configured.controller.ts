import { OAuthError } from '@behalf/oauth';
import { All, Controller, type Type } from '@nestjs/common';
import type { ElicitationServiceConfig } from '../config.js';

/** Where people cannot sign in nobody is sent anywhere: both ends of the flow refuse alike. */
export function nothingConfiguredController({ connect, callback }: ElicitationServiceConfig['paths']): Type {
  @Controller()
  class NothingConfiguredController {
    @All([connect, callback])
    refuse(): never {
      throw new OAuthError('temporarily_unavailable', 'no third-party provider is configured', {
        status: 501,
      });
    }
  }
  return NothingConfiguredController;
}
