import type { BehalfConfig } from '@behalf/config';
import { OAuthError } from '@behalf/oauth';
import { All, Controller, type Type } from '@nestjs/common';

/** Until a provider can be configured, nobody is sent anywhere: both ends of the flow refuse alike. */
export function connectController({ connect, callback }: BehalfConfig['elicitation']['paths']): Type {
  @Controller()
  class ConnectController {
    @All([connect, callback])
    refuse(): never {
      throw new OAuthError('temporarily_unavailable', 'no third-party provider is configured', {
        status: 501,
      });
    }
  }
  return ConnectController;
}
