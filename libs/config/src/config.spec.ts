import type { ServiceName } from '@behalf/contracts';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ConfigError, parseConfig, protectedResources } from './index.js';

const demo = (): Record<string, any> => parse(readFileSync('deploy/demo/behalf.yaml', 'utf8'));

function faultsOf(file: unknown, environment: Record<string, string> = {}, service?: ServiceName): string[] {
  try {
    parseConfig(file, environment, service);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('parseConfig', () => {
  it('takes the demo configuration', () => {
    expect(faultsOf(demo())).toEqual([]);
  });

  it('refuses everything that is only for the demo when NODE_ENV=production, all at once', () => {
    expect(faultsOf(demo(), { NODE_ENV: 'production' }).map((fault) => fault.split(':')[0])).toEqual([
      'authorizationServer.signIn',
      'authorizationServer.clients.demo-gateway.demoSecret',
      'authorizationServer.clients.demo-agent.demoSecret',
      'authorizationServer.clients.demo-drive-server.demoSecret',
      'authorizationServer.clients.behalf-policy.demoSecret',
      'authorizationServer.clients.behalf-connections.demoSecret',
      'authorizationServer.clients.demo-admin.demoSecret',
      'elicitation.providers.drive.client.demoSecret',
      'elicitation.client.demoSecret',
      'gateway.demoClientSecret',
      'policy.approvals.demoSecret',
      'policy.allowUnauthenticatedLoopback',
      'development.allowLoopbackProviders',
    ]);
  });

  it('takes nobody for a client: no user has the id of one (RFC 9068 §5)', () => {
    const config = demo();
    config['authorizationServer'].signIn.users[1].username = 'demo-agent';
    expect(faultsOf(config)).toEqual([
      'authorizationServer.signIn.users.1.username: is the clientId of a client, too',
    ]);
  });

  it('hands tokens of a resource over to who serves it, and to nobody else', () => {
    const config = demo();
    const handsOverTo = { clientId: 'demo-agent', jkt: 'x'.repeat(43) };
    config['authorizationServer'].resources[1].handsOverTo = handsOverTo;
    expect(faultsOf(config)).toEqual([
      'authorizationServer.resources.1.handsOverTo.clientId: is not one of servedBy',
    ]);
  });

  it('wants https in production, except on the own machine', () => {
    const config = demo();
    config['authorizationServer'].issuer = 'http://auth.example.com';
    config['gateway'].publicUrl = 'https://gateway.example.com';
    const isAboutHttps = (fault: string): boolean => fault.includes('https');
    expect(faultsOf(config, { NODE_ENV: 'production' }).filter(isAboutHttps)).toEqual([
      'authorizationServer.issuer: must be https when NODE_ENV=production',
    ]);
    expect(faultsOf(config)).toEqual([]);
  });

  it('names every fault and no value', () => {
    const file = demo();
    file['authorizationServer'].issuer = 'https://secret-host.example/';
    file['gateway'].upstreams.files.transport = 'carrier-pigeon-secret';
    file['polcy'] = {};
    const faults = faultsOf(file);
    expect(faults).toHaveLength(3);
    expect(faults.join()).not.toContain('secret');
  });

  it('misses secrets by the name of their variable', () => {
    const file = demo();
    const gateway = file['authorizationServer'].clients[0];
    delete gateway.demoSecret;
    gateway.secretEnv = 'GATEWAY_SECRET';
    expect(faultsOf(file)).toEqual([
      'authorizationServer.clients.demo-gateway.secretEnv: the environment has no GATEWAY_SECRET',
    ]);
    expect(faultsOf(file, { GATEWAY_SECRET: 'x' })).toEqual([]);
    expect(faultsOf(file, { GATEWAY_SECRET_FILE: '/run/secrets/gateway' })).toEqual([]);
  });

  it('misses of one service no secret of another', () => {
    const file = demo();
    const { authorizationServer, policy, gateway, elicitation } = file;
    const [client] = authorizationServer.clients;
    const provider = elicitation.providers.find(({ kind }: { kind?: string }) => kind !== 'static');
    for (const holder of [client, provider.client, policy.approvals, elicitation.client])
      delete holder.demoSecret;
    delete gateway.demoClientSecret;
    client.secretEnv = 'OF_CLIENT';
    gateway.clientSecretEnv = 'OF_GATEWAY';
    policy.approvals.secretEnv = 'OF_APPROVALS';
    provider.client.secretEnv = 'OF_PROVIDER';
    elicitation.client.secretEnv = 'OF_PAGES';
    elicitation.vault = { key: { kind: 'local', keyEnv: 'OF_VAULT' } };
    const missed = (service?: ServiceName): string[] =>
      faultsOf(file, {}, service)
        .map((fault) => fault.split(' ').at(-1) ?? '')
        .toSorted();
    expect(missed('authorization-server')).toEqual(['OF_CLIENT']);
    expect(missed('gateway')).toEqual(['OF_GATEWAY']);
    expect(missed('policy')).toEqual(['OF_APPROVALS']);
    expect(missed('elicitation')).toEqual(['OF_PAGES', 'OF_PROVIDER', 'OF_VAULT']);
    expect(missed()).toEqual([
      'OF_APPROVALS',
      'OF_CLIENT',
      'OF_GATEWAY',
      'OF_PAGES',
      'OF_PROVIDER',
      'OF_VAULT',
    ]);
  });

  it('gives a public client neither a secret nor an exchange', () => {
    const file = demo();
    const { clients } = file['authorizationServer'];
    clients.find(({ clientId }: { clientId: string }) => clientId === 'demo-client').exchange = {
      audiences: ['*'],
      scopes: ['mcp:tools'],
    };
    expect(faultsOf(file)).toHaveLength(1);
  });
});

describe('third parties', () => {
  it('need a client by which people can sign in', () => {
    const file = demo();
    delete file['elicitation'].client;
    expect(faultsOf(file)).toEqual([expect.stringContaining('elicitation.client')]);
  });

  it('have no token in the header that holds the exchanged one', () => {
    const file = demo();
    file['gateway'].upstreams.whoami.thirdParty = { resource: 'https://api.example' };
    expect(faultsOf(file)).toEqual([expect.stringContaining('thirdParty.header')]);
    file['gateway'].upstreams.whoami.thirdParty.header = 'x-token';
    expect(faultsOf(file)).toEqual([]);
  });

  it.each([
    ['an origin with a path', { rules: [{ origin: 'https://a.example/x', paths: ['/'] }] }, 'origin'],
    ['a path that is encoded', { rules: [{ paths: ['/a%2fb'] }] }, 'paths'],
    ['a path without a beginning', { rules: [{ paths: [''] }] }, 'paths'],
    ['anything in the middle', { rules: [{ paths: ['/**/x'] }] }, 'paths'],
    ['a credential', { rules: [{ paths: ['/'] }], requestHeaders: ['authorization'] }, 'requestHeaders'],
    ['another method', { rules: [{ paths: ['/'] }], requestHeaders: ['x-http-method'] }, 'requestHeaders'],
    ['their cookies', { rules: [{ paths: ['/'] }], responseHeaders: ['set-cookie'] }, 'responseHeaders'],
  ])('are never called with %s', (_what, forward, fault) => {
    const file = demo();
    file['elicitation'].providers[0].forward = forward;
    expect(faultsOf(file)).toEqual([expect.stringContaining(fault)]);
  });
});

describe('protectedResources', () => {
  it('knows the upstreams, the services and the configured resources, and who serves them', () => {
    const resources = protectedResources(parseConfig(demo(), {}));
    expect(resources.map(({ resource }) => resource)).toEqual([
      'http://localhost:4003/mcp/everything',
      'http://localhost:4003/mcp/files',
      'http://localhost:4003/mcp/whoami',
      'http://localhost:4003/mcp/drive',
      'http://localhost:4002',
      'http://localhost:4000/admin',
      'http://localhost:4001',
      'http://localhost:4001/forward/drive',
      'http://localhost:4010/mcp',
      'http://localhost:4011/mcp',
      'http://localhost:4020/agent',
    ]);
    expect(resources[1]).toMatchObject({
      scopes: ['mcp:tools', 'files:write'],
      defaultScopes: ['mcp:tools'],
      servedBy: ['demo-gateway'],
    });
  });

  it('lets who names no scope only look at what is forwarded', () => {
    const file = demo();
    file['elicitation'].providers[0].forward.rules.push({
      methods: ['POST'],
      paths: ['/api/files'],
      scopes: ['files.write'],
    });
    const [forwarded] = protectedResources(parseConfig(file, {})).filter(({ resource }) =>
      resource.includes('/forward/'),
    );
    expect(forwarded).toMatchObject({
      scopes: ['forward', 'files.read', 'files.write'],
      defaultScopes: ['forward', 'files.read'],
    });
  });
});
