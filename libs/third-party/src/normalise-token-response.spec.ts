import { normaliseTokenResponse } from './normalise-token-response.js';
import { presets } from './presets.js';
import { resolveProviders } from './resolving/resolve-providers.js';

const reply = (status: number, body: unknown, contentType = 'application/json') => ({
  status,
  headers: { 'content-type': contentType },
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const normalised = async (...parts: Parameters<typeof reply>): Promise<unknown> =>
  normaliseTokenResponse(reply(...parts), { tokenMember: undefined }, false).json();

describe('normaliseTokenResponse', () => {
  it('reads a form, as GitHub sends it', async () => {
    const form = 'access_token=gho_x&scope=repo%2Cgist&token_type=bearer';
    expect(await normalised(200, form, 'application/x-www-form-urlencoded; charset=utf-8')).toEqual({
      access_token: 'gho_x',
      scope: 'repo gist',
      token_type: 'bearer',
    });
  });

  it('takes the tokens of the person and never those of the bot beside them, as Slack sends them', async () => {
    const body = {
      ok: true,
      access_token: 'xoxb-bot',
      refresh_token: 'xoxe-bot',
      scope: 'commands',
      authed_user: {
        id: 'U1',
        access_token: 'xoxp-person',
        scope: 'chat:write,users:read',
        token_type: 'user',
      },
    };
    const response = normaliseTokenResponse(reply(200, body), { tokenMember: 'authed_user' }, false);
    expect(await response.json()).toEqual({
      access_token: 'xoxp-person',
      scope: 'chat:write users:read',
      token_type: 'bearer',
    });
  });

  it.each([
    ['GitHub', 200, { error: 'bad_refresh_token' }, 'invalid_grant'],
    ['Slack', 200, { ok: false, error: 'invalid_refresh_token' }, 'invalid_grant'],
    ['HubSpot', 400, { status: 'BAD_REFRESH_TOKEN', message: '' }, 'invalid_grant'],
    ['Atlassian', 403, { error: 'invalid_grant' }, 'invalid_grant'],
    ['the RFC', 401, { error: 'invalid_client' }, 'invalid_client'],
  ])('finds the error as %s says it', async (_who, status, body, error) => {
    expect(await normalised(status, body)).toEqual({ error });
  });

  it('mends numbers as text, scopes as a list, and what is null', async () => {
    const body = { access_token: 'x', expires_in: '3600', scope: ['a', 'b'], refresh_token: null };
    expect(await normalised(200, body)).toEqual({
      access_token: 'x',
      expires_in: 3600,
      scope: 'a b',
      token_type: 'bearer',
    });
    expect(await normalised(200, { ...body, expires_in: 0, refresh_token: '' })).not.toHaveProperty(
      'expires_in',
    );
  });

  it.each([
    [502, '<html>'],
    [200, 'not json'],
    [429, '{}'],
  ])('finds neither tokens nor an error in %i %s', async (status, body) => {
    await expect(normalised(status, body)).rejects.toMatchObject({ status });
  });
});

describe('resolveProviders', () => {
  it('knows at least a dozen providers by name, each of them complete', () => {
    const ids = Object.keys(presets);
    expect(ids.length).toBeGreaterThanOrEqual(12);
    for (const id of ids) {
      const kind = presets[id]?.kind ?? 'oauth';
      const client = { id: 'c', demoSecret: 's' };
      const [provider] = resolveProviders(
        [
          {
            kind,
            id,
            preset: id,
            internalHosts: [],
            ...(kind === 'oauth' ? { client } : { credential: {} }),
          } as never,
        ],
        {},
      );
      expect(provider).toMatchObject({ id, kind, name: presets[id]?.name });
    }
  });

  it('reports all faults together, and no values', () => {
    const configs = [
      { kind: 'oauth', id: 'a', client: { id: 'c' }, internalHosts: [] },
      {
        kind: 'oauth',
        id: 'b',
        preset: 'nobody',
        client: { id: 'c', demoSecret: 'hush' },
        internalHosts: [],
      },
      {
        kind: 'oauth',
        id: 'c',
        preset: 'github',
        client: { id: 'c', demoSecret: 'hush' },
        internalHosts: [],
        forward: { rules: [{ methods: ['GET'], paths: ['/user'], scopes: ['read:usr'] }] },
      },
      { kind: 'static', id: 'd', preset: 'stripe', credential: {}, internalHosts: [] },
      { kind: 'static', id: 'e', preset: 'stripe', credential: {}, internalHosts: [] },
    ];
    const faults = (): unknown => resolveProviders(configs as never, {});
    expect(faults).toThrow(
      /a: client.secretEnv[^]*b: preset[^]*c: forward: read:usr[^]*e.resources: d has one of them/,
    );
    expect(faults).not.toThrow(/hush/);
  });
});
