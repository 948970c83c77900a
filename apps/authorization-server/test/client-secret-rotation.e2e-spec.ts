import { setTimeout } from 'node:timers/promises';
import { SecretFile } from '@behalf/testing';
import { basic, TestServer } from './test-server.js';

/** On servers every request goes to another replica than the one before: as many in a row have met each of them. */
const inARow = 6;
const seenWithinMs = 30_000;
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

describe('the secret of a configured client, in a file', () => {
  let file: SecretFile;
  let server: TestServer;
  let subjectToken: string;
  beforeAll(async () => {
    file = await SecretFile.create('first');
    server = await TestServer.start({
      environment: { SERVICE_SECRET_FILE: file.path },
      server: {
        clients: [
          {
            clientId: 'service',
            secretEnv: 'SERVICE_SECRET',
            grantTypes: ['client_credentials', exchange],
            scopes: ['mcp:tools'],
            exchange: { audiences: ['*'], scopes: ['mcp:tools'] },
          },
          {
            clientId: 'web-app',
            demoSecret: 'web-app-secret',
            redirectUris: ['https://client.example.com/callback'],
          },
        ],
      },
    });
    subjectToken = (await server.signIn()).access_token;
  });
  afterAll(async () => {
    await server?.close();
    await file?.close();
  });

  /** Every way in that takes the secret, with what comes of it. */
  const ways: Record<string, (secret: string) => Promise<number>> = {
    // Introspection of something unknown is 200 for whoever is let in.
    'in the header, to the library': async (secret) =>
      (await server.post('/introspect', { token: 'unknown' }, basic('service', secret))).status,
    'in the header, ahead of the library': async (secret) => {
      const form = {
        grant_type: exchange,
        subject_token: subjectToken,
        resource: 'https://nowhere.example/mcp',
      };
      const type = 'urn:ietf:params:oauth:token-type:access_token';
      const { status } = await server.token({ ...form, subject_token_type: type }, basic('service', secret));
      // Let in, and told that the token is not its to exchange.
      return status === 400 ? 200 : status;
    },
    'in the body': async (secret) =>
      (await server.post('/introspect', { token: 'unknown', client_id: 'service', client_secret: secret }))
        .status,
  };

  /** Resolves when every replica takes these and refuses those, in every way. */
  async function everywhere(taken: string[], refused: string[]): Promise<void> {
    const until = performance.now() + seenWithinMs;
    const firstFault = async (): Promise<string | undefined> => {
      for (let n = 0; n < inARow; n++)
        for (const [way, tryIn] of Object.entries(ways))
          for (const secret of [...taken, ...refused]) {
            const status = await tryIn(secret);
            if (status !== (taken.includes(secret) ? 200 : 401)) return `${secret} ${way}: ${status}`;
          }
      return undefined;
    };
    for (;;) {
      const fault = await firstFault();
      if (fault === undefined) return;
      if (performance.now() > until) throw new Error(fault);
      await setTimeout(100);
    }
  }

  it('is changed without a restart: both are good meanwhile, then the new one alone, on every replica', async () => {
    await everywhere(['first'], ['second', 'other']);
    await file.write('first', 'second');
    await everywhere(['first', 'second'], ['other']);
    await file.write('second', 'first');
    await everywhere(['first', 'second'], ['other']);
    await file.write('second');
    await everywhere(['second'], ['first', 'other']);
    // Somebody else's is as it was.
    const status = async (secret: string): Promise<number> =>
      (await server.post('/introspect', { token: 'unknown' }, basic('web-app', secret))).status;
    expect([await status('web-app-secret'), await status('second')]).toEqual([200, 401]);
  });

  it('lets nobody in once its file is gone, and those of the next one', async () => {
    await file.remove();
    await everywhere([], ['first', 'second']);
    await file.write('third');
    await everywhere(['third'], ['second']);
  });
});
