import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalServer, startNats } from '@behalf/local-servers';
import { describeWith, testCertificate, testClientCertificates } from '@behalf/testing';
import { type NatsConnectOptions, connectNats } from './connect-nats.js';

const { authority, agent, selfSigned } = testClientCertificates;

describeWith('nats-server')('TLS to NATS', () => {
  let folder: string;
  const servers: Record<string, LocalServer> = {};
  const file = (name: string): string => join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-nats-tls-'));
    const files = {
      'server.pem': testCertificate.cert,
      'server.key': testCertificate.key,
      'clients.pem': authority,
      'agent.pem': agent.cert,
      'agent.key': agent.key,
      'stranger.pem': selfSigned.cert,
      'stranger.key': selfSigned.key,
    };
    for (const [name, content] of Object.entries(files)) await writeFile(file(name), content);
    const tls = (name: string, more = ''): string =>
      `tls { cert_file: "${file(`${name}.pem`)}", key_file: "${file(`${name}.key`)}", ${more} }`;
    servers['tls'] = await startNats({ config: tls('server') });
    servers['clients'] = await startNats({
      config: tls('server', `ca_file: "${file('clients.pem')}", verify: true`),
    });
    // Its certificate is of the authority `clients.pem`, and for other names.
    servers['elsewhere'] = await startNats({ config: tls('agent') });
    servers['plain'] = await startNats();
  });
  afterAll(async () => {
    for (const server of Object.values(servers)) await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const connectTo = async (
    server: string,
    options: Partial<NatsConnectOptions> = { caFile: file('server.pem') },
    scheme = 'tls',
  ): Promise<boolean | undefined> => {
    const url = (servers[server]?.url ?? '').replace('nats:', `${scheme}:`);
    const connection = await connectNats({ url, service: 'test', ...options });
    try {
      await connection.flush();
      return connection.isClosed() ? undefined : true;
    } finally {
      await connection.close();
    }
  };

  it.each(['tls', 'nats'])('connects to a server whose authority is given, by %s://', async (scheme) => {
    expect(await connectTo('tls', undefined, scheme)).toBe(true);
  });

  it('refuses a server of another authority, and of none that is known', async () => {
    for (const options of [{ caFile: file('clients.pem') }, {}])
      await expect(connectTo('tls', options)).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  });

  it('refuses a server of the authority that is another one', async () => {
    await expect(connectTo('elsewhere', { caFile: file('clients.pem') })).rejects.toThrow();
  });

  it.each([
    ['tls:// says so', 'tls', () => ({})],
    ['its authority is given', 'nats', () => ({ caFile: file('server.pem') })],
  ] as const)('refuses to go without TLS where %s', async (_where, scheme, options) => {
    await expect(connectTo('plain', options(), scheme)).rejects.toThrow();
    // Whoever stands in between says that there is no TLS, before any certificate was seen.
    const heard: Buffer[] = [];
    const { server: between, url } = await pretendToBeNats((data) => heard.push(data));
    try {
      await expect(
        connectNats({ url: `${scheme}://${url}`, service: 'test', ...options() }),
      ).rejects.toThrow();
      expect(Buffer.concat(heard).toString()).toBe('');
    } finally {
      between.close();
    }
  });

  it('shows its certificate to a server that wants one, which refuses others', async () => {
    const caFile = file('server.pem');
    const shown = (name: string) => ({ caFile, certFile: file(`${name}.pem`), keyFile: file(`${name}.key`) });
    expect(await connectTo('clients', shown('agent'))).toBe(true);
    // Both have three attempts, since the client takes this refusal for a handshake that was cut.
    const refused = [{ caFile }, shown('stranger')].map((options) => connectTo('clients', options));
    expect((await Promise.allSettled(refused)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

/** Says what a NATS server without TLS says first. */
async function pretendToBeNats(onData: (data: Buffer) => void): Promise<{ server: Server; url: string }> {
  const server = createServer((socket: Socket) => {
    socket.on('data', onData).on('error', () => {});
    socket.write('INFO {"server_id":"x","version":"2.9.10","proto":1,"max_payload":1048576}\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}
