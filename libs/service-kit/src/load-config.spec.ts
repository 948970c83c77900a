import { ConfigError } from '@behalf/config';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { loadConfig } from './load-config.js';

const folder = mkdtempSync(join(tmpdir(), 'behalf-config-'));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const base = file(
  'base.yaml',
  `
authorizationServer: { issuer: 'http://localhost:4000', listen: { port: 4000, host: 127.0.0.1 }, signIn: { method: local, users: [] } }
policy: { policies: policies, resourceTypes: { a: b } }
gateway: { clientId: gateway, demoClientSecret: demo, upstreams: {} }
`,
);

function load(...files: string[]) {
  return loadConfig('none', { BEHALF_CONFIG: files.join(delimiter) });
}

describe('loadConfig', () => {
  it('lets a later file change single settings of those before it', () => {
    const above = file('above.yaml', 'authorizationServer: { listen: { host: 0.0.0.0 } }');
    const { listen, issuer } = load(base, above).authorizationServer;
    expect({ listen, issuer }).toEqual({
      listen: { port: 4000, host: '0.0.0.0' },
      issuer: 'http://localhost:4000',
    });
  });

  it('takes a setting away with null, and changes nothing with an empty file', () => {
    const above = file('null.yaml', 'policy: { resourceTypes: null }');
    expect(load(base, file('empty.yaml', '# nothing')).policy.resourceTypes).toEqual({ a: 'b' });
    expect(load(base, above).policy.resourceTypes).not.toEqual({ a: 'b' });
  });

  it('names the file that is not there, and the one that is not YAML', () => {
    expect(() => load(base, join(folder, 'absent.yaml'))).toThrow(ConfigError);
    expect(() => load(base, file('broken.yaml', '{'))).toThrow(/broken.yaml/);
  });
});
