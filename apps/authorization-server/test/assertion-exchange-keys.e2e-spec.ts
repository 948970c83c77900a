import { jest } from '@jest/globals';
import { startAssertionExchange } from './assertion-exchange.fixture.js';
import type { Way } from './both-ways.js';
import { type KeyPair, keyPair } from './test-agents.js';

it.each(['RS256', 'PS256', 'EdDSA'])(
  'RFC 7518 §3.1: an exchange is answered by both ways where the key of the agent is for %s',
  async (alg) => {
    const key = await keyPair('other', alg);
    const { agents, ask } = await startAssertionExchange({}, { jwks: { keys: [key.publicJwk] } });
    const sign = (header = {}) =>
      agents.assertion({}, { key: key.privateKey, header: { alg, kid: 'other', ...header } });
    const seen = [await ask(await sign(), 'library'), await ask(await sign(), 'short')];
    expect(seen.map(({ answer }) => answer.status)).toEqual([200, 200]);
    expect(seen.map(({ servedByLibrary }) => servedByLibrary)).toEqual([1, 0]);
    await agents.close();
  },
);

describe('an agent that publishes its keys', () => {
  afterEach(() => jest.restoreAllMocks());

  it('RFC 7517 §4.5: is known by a new key at once, and by one that it took back no longer than its keys are fresh', async () => {
    const [first, second] = [await keyPair('first'), await keyPair('second')];
    let published = [first.publicJwk];
    let isDown = false;
    const fetch = async (): Promise<Response> => {
      if (isDown) throw new Error('down');
      return Response.json({ keys: published });
    };
    const jwksUri = 'https://agents.example/jwks.json';
    const { agents, ask } = await startAssertionExchange({ fetch }, { jwks: undefined, jwksUri });
    const now = Date.now();
    const pass = async (seconds: number): Promise<void> => {
      await agents.server.passSeconds(seconds);
      jest.spyOn(Date, 'now').mockReturnValue(now + (agents.server.clock.nowMs() - begun));
    };
    const begun = agents.server.clock.nowMs();
    const by = async (key: KeyPair, way: Way) => {
      const header = { kid: key.publicJwk.kid ?? '' };
      const { answer, servedByLibrary } = await ask(
        await agents.assertion({}, { key: key.privateKey, header }),
        way,
      );
      return [answer.status, servedByLibrary];
    };
    expect(await by(first, 'short')).toEqual([200, 1]);
    expect(await by(first, 'short')).toEqual([200, 0]);
    published = [second.publicJwk];
    await pass(400);
    expect(await by(first, 'library')).toEqual([401, 1]);
    expect(await by(second, 'short')).toEqual([200, 0]);
    // While they cannot be had, its keys stay what they were.
    isDown = true;
    await pass(400);
    expect(await by(second, 'short')).toEqual([200, 1]);
    expect(await by(second, 'short')).toEqual([200, 0]);
    expect(await by(first, 'short')).toEqual([401, 1]);
    await agents.close();
  });
});
