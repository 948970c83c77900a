import type { AuditLeaves, AuditLog } from '@behalf/audit';
import { type BehalfConfig, configSchema } from '@behalf/config';
import { onServers } from '../../../deploy/fleet/app-stand.fixture.js';
import type { StartOptions } from '../src/authorization-server.module.js';

export const redirectUri = 'https://client.example.com/callback';

/** Overrides of the `authorizationServer` section of the configuration. */
export interface TestServerOptions extends StartOptions {
  server?: Record<string, unknown>;
  gateway?: Record<string, unknown>;
  mutualTls?: Record<string, unknown>;
  /** In place of one that only remembers. */
  auditLog?: AuditLog & AuditLeaves;
  development?: Record<string, unknown>;
  /** Two without it where it stands on servers. One, for who looks into it or changes what it stands on. */
  replicas?: 1;
}

/** Two people, a web client, a gateway, an operator, and two resources of the gateway. */
export function testServerConfig(issuer: string, port: number, options: TestServerOptions): BehalfConfig {
  return configSchema.parse({
    logLevel: 'silent',
    authorizationServer: {
      issuer,
      scopes: { 'mcp:tools': 'Use its tools', 'files:write': 'Change files' },
      signIn: {
        method: 'local',
        users: ['alice', 'bob'].map((name) => ({
          username: name,
          password: name,
          name: name.toUpperCase(),
          groups: name === 'alice' ? ['eng'] : [],
        })),
      },
      clients: [
        {
          clientId: 'web-app',
          clientName: 'Web <App>',
          demoSecret: 'web-app-secret',
          redirectUris: [redirectUri],
        },
        {
          clientId: 'gateway',
          demoSecret: 'gateway-secret',
          grantTypes: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
          scopes: ['policy:evaluate'],
          exchange: { audiences: ['*'], scopes: ['mcp:tools'] },
        },
        {
          clientId: 'operator',
          demoSecret: 'operator-secret',
          grantTypes: ['client_credentials'],
          scopes: ['admin'],
        },
      ],
      // On servers a balancer listens there, before the replicas.
      listen: { port: onServers ? 0 : port },
      ...options.server,
    },
    ...(options.development && { development: options.development }),
    ...(options.mutualTls && { mutualTls: options.mutualTls }),
    policy: {
      policies: 'unused',
    },
    gateway: {
      clientId: 'gateway',
      demoClientSecret: 'gateway-secret',
      upstreams: {
        files: {
          transport: 'stdio',
          command: 'unused',
          name: 'Files',
          scopes: { tools: { write_file: ['files:write'] } },
        },
        whoami: { transport: 'stdio', command: 'unused' },
      },
      ...options.gateway,
    },
  });
}
