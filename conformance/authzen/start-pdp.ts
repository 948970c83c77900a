import { request as forward } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface StartedPdp {
  url: string;
  /** PEM of the certificate that its https end shows. */
  ca: string;
  close(): Promise<void>;
}

/**
 * Starts the policy service, as it was built, on the policies of this folder, with an https end in front of it as a
 * deployment has one: metadata names https only.
 */
export async function startPdp(): Promise<StartedPdp> {
  const dist = (path: string): Promise<Record<string, any>> => import(resolve('dist', path));
  const { openInfrastructure } = await dist('libs/infrastructure/src/index.js');
  const { parseConfig } = await dist('libs/config/src/index.js');
  const { startPolicy } = await dist('apps/policy/src/policy.module.js');
  const { cert, key } = await import('./certificate.ts');
  const dataFolder = await mkdtemp(join(tmpdir(), 'behalf-authzen-'));

  let inner = '';
  const front = createServer({ cert, key }, (request, response) => {
    const passed = forward(
      new URL(request.url ?? '/', inner),
      { method: request.method, headers: request.headers },
      (answer) => void answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers)),
    );
    passed.on('error', () => response.writeHead(502).end());
    request.pipe(passed);
  });
  await new Promise<void>((done) => void front.listen(0, '127.0.0.1', done));
  const url = `https://127.0.0.1:${(front.address() as AddressInfo).port}`;

  const config = parseConfig(
    {
      dataFolder,
      logLevel: 'error',
      authorizationServer: { signIn: { method: 'local', users: [] } },
      policy: {
        listen: { port: 0 },
        publicUrl: url,
        policies: resolve('conformance/authzen/policies'),
        resourceTypes: { record: 'Record' },
        allowUnauthenticatedLoopback: true,
      },
      gateway: { clientId: 'none', upstreams: {} },
    },
    {},
  );
  const service = await openInfrastructure({ name: 'policy', config }, startPolicy);
  inner = service.url;
  return {
    url,
    ca: cert,
    async close() {
      front.closeAllConnections();
      front.close();
      await service.close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
