import { presets } from './presets.js';

describe.each(Object.entries(presets))('the preset %s', (_name, preset) => {
  it('names only scopes that it has, and asks for nothing twice', () => {
    const known = Object.keys(preset.scopes);
    const named = [...(preset.defaultScopes ?? []), ...Object.entries(preset.impliedScopes ?? {}).flat(2)];
    expect(known).toEqual(expect.arrayContaining(named));
    // Not told in answers, so nobody would ever have it.
    expect(known).not.toContain('offline_access');
    for (const [scope, implied] of Object.entries(preset.impliedScopes ?? {}))
      expect(implied).not.toContain(scope);
  });

  it('speaks to the provider over TLS alone', () => {
    const urls = JSON.stringify(preset).match(/[a-z]+:\/\/[^"]+/g) ?? [];
    expect(urls.filter((url) => !url.startsWith('https://'))).toEqual([]);
  });
});
