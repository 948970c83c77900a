import { toStruct } from '@behalf/policy-dialects';
import { testCertificate, testClientCertificates } from '@behalf/testing';
import { credentials, status } from '@grpc/grpc-js';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grpcClients } from './grpc-client.js';
import { startPolicyService } from './policy-service.js';

const request = {
  service_names: ['everything'],
  method: 'tools/call',
  metadata_context: toStruct({ sub: 'bob' }),
  mcp_request: Buffer.from(JSON.stringify({ name: 'echo', arguments: {} })),
};

describe('callers over gRPC', () => {
  it('need a token for this service', async () => {
    const service = await startPolicyService({ settings: { grpc: { port: 0 } } });
    const grpc = grpcClients(service.grpcPort ?? 0);
    try {
      const bearer = async (claims: object) => ({
        authorization: `Bearer ${await service.sign({ ...claims })}`,
      });
      const good = await bearer({ aud: service.publicUrl });
      expect((await grpc.checkRequest(request, good)).result).toBe('pass');
      expect(service.audit.records.at(-1)).toMatchObject({ client: 'gw', person: 'bob' });
      for (const ask of [grpc.checkRequest, grpc.checkResponse, grpc.check]) {
        await expect(ask(request)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
        const others = await bearer({ aud: 'https://other.example' });
        await expect(ask(request, others)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
        const unscoped = await bearer({ aud: service.publicUrl, scope: 'mcp:tools' });
        await expect(ask(request, unscoped)).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
      }
    } finally {
      grpc.close();
      await service.close();
    }
  });

  it('need none on this machine where that is allowed, unless they speak for others', async () => {
    const service = await startPolicyService({
      allowUnauthenticatedLoopback: true,
      settings: { grpc: { port: 0 } },
    });
    const grpc = grpcClients(service.grpcPort ?? 0);
    try {
      expect((await grpc.checkRequest(request)).result).toBe('pass');
      const refused: Record<string, string>[] = [
        { 'x-forwarded-for': '10.0.0.1' },
        { authorization: 'Basic eDp5' },
      ];
      for (const headers of refused)
        await expect(grpc.checkRequest(request, headers)).rejects.toMatchObject({
          code: status.UNAUTHENTICATED,
        });
    } finally {
      grpc.close();
      await service.close();
    }
  });

  it('are answered in the time of a request, whatever that waits for', async () => {
    const service = await startPolicyService({
      allowUnauthenticatedLoopback: true,
      requestTimeoutSeconds: 1,
      settings: { grpc: { port: 0 } },
      replicas: 1,
    });
    const grpc = grpcClients(service.grpcPort ?? 0);
    const held = service.audit.hold();
    try {
      await expect(grpc.checkRequest(request)).rejects.toMatchObject({
        code: status.UNAVAILABLE,
        details: expect.stringContaining('the request took too long'),
      });
    } finally {
      held.release();
      grpc.close();
      await service.close();
    }
  });

  it('may come with a certificate instead', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-grpc-'));
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const { cert, key } = testCertificate;
    const { authority } = testClientCertificates;
    const certFile = await file('cert.pem', cert);
    const keyFile = await file('key.pem', key);
    const service = await startPolicyService({
      allowUnauthenticatedLoopback: true,
      settings: {
        grpc: {
          port: 0,
          tls: { certFile, keyFile, clientCaFile: await file('ca.pem', `${cert}\n${authority}`) },
        },
        callers: { envoy: { tls_client_auth_san_uri: 'spiffe://example.org/reporter' } },
      },
    });
    const pem = (text: string) => Buffer.from(text);
    const as = (one: { cert: string; key: string }) =>
      grpcClients(service.grpcPort ?? 0, credentials.createSsl(pem(cert), pem(one.key), pem(one.cert)));
    const [known, unnamed] = [as(testClientCertificates.agent), as({ cert, key })];
    const stranger = grpcClients(service.grpcPort ?? 0, credentials.createSsl(pem(cert)));
    try {
      expect((await known.checkRequest(request)).result).toBe('pass');
      expect(service.audit.records.at(-1)).toMatchObject({ client: 'envoy' });
      // A token that is presented is checked, also beside a certificate.
      await expect(known.checkRequest(request, { authorization: 'Bearer x.y.z' })).rejects.toMatchObject({
        code: status.UNAUTHENTICATED,
      });
      // Of the right authority, and of nobody who may ask.
      await expect(unnamed.checkRequest(request)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
      await expect(stranger.checkRequest(request)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    } finally {
      known.close();
      unnamed.close();
      stranger.close();
      await service.close();
      await rm(folder, { recursive: true });
    }
  });
});
