import { OAuthError } from '@behalf/oauth';
import { All, Controller } from '@nestjs/common';

/** Until a provider can be configured, nobody is sent anywhere: both ends of the flow refuse alike. */
@Controller()
export class ConnectController {
  @All(['connect', 'callback'])
  refuse(): never {
    throw new OAuthError('temporarily_unavailable', 'no third-party provider is configured', { status: 501 });
  }
}
