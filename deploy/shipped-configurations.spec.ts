import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { loadConfig } from '@behalf/service-kit';
import { parse } from 'yaml';

const secrets = { UPSTREAM_CLIENT_SECRET: 'from the secret', GATEWAY_CLIENT_SECRET: 'from the secret' };

describe('the configurations that are shipped', () => {
  it('has one for Kubernetes that production takes', () => {
    const config = loadConfig('deploy/kubernetes/base/behalf.yaml', { NODE_ENV: 'production', ...secrets });
    expect(config.authorizationServer.internalUrl).toBe('http://authorization-server:4000');
  });

  it('has one for containers that the demo lies under, and whose services are reached from outside', () => {
    const [, layers] = /BEHALF_CONFIG:-(.*)}/.exec(readFileSync('docker-compose.yml', 'utf8')) ?? [];
    const config = loadConfig('', { BEHALF_CONFIG: layers?.replaceAll(':', delimiter) });
    const { authorizationServer, policy, elicitation, gateway } = config;
    for (const { listen } of [authorizationServer, policy, elicitation, gateway])
      expect(listen.host).toBe('0.0.0.0');
    expect(policy.allowUnauthenticatedLoopback).toBe(false);
  });

  it('names in compose no secret, and gives every program a user without rights or its own image’s', () => {
    const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
      services: Record<string, { environment?: object; user?: string; read_only?: boolean }>;
    };
    for (const [name, { environment = {}, user, read_only: readOnly }] of Object.entries(services)) {
      expect(Object.keys(environment).filter((key) => /SECRET|PASSWORD|KEY|SEED/.test(key))).toEqual([]);
      if (name === 'postgres') continue;
      expect({ name, user: user !== undefined, readOnly }).toEqual({ name, user: true, readOnly: true });
    }
  });
});
