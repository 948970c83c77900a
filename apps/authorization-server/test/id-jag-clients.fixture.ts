import { grantTypes } from '@behalf/oauth';
import { basic, redirectUri } from './test-server.js';

const { jwtBearer, tokenExchange } = grantTypes;

/** Those that redeem identity assertions, or have them issued. */
export const clients = [
  {
    clientId: 'app',
    demoSecret: 'app-secret',
    grantTypes: [jwtBearer, tokenExchange, 'authorization_code', 'refresh_token'],
    redirectUris: [redirectUri],
  },
  { clientId: 'other', demoSecret: 'other-secret', grantTypes: [jwtBearer, tokenExchange] },
  { clientId: 'public', tokenEndpointAuthMethod: 'none', redirectUris: [redirectUri] },
  {
    clientId: 'operator',
    demoSecret: 'operator-secret',
    grantTypes: ['client_credentials'],
    scopes: ['admin'],
  },
];
export const app = basic('app', 'app-secret');
export const other = basic('other', 'other-secret');
