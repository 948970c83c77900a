import { ChannelCredentials, type Client, Metadata, type ServiceError, credentials } from '@grpc/grpc-js';
import { loadProtos } from '../src/grpc/load-protos.js';

export type Unary = (request: object, metadata?: Record<string, string>) => Promise<any>;

/** Clients made from the .proto files, for tests. */
export function grpcClients(
  port: number,
  channel: ChannelCredentials = credentials.createInsecure(),
  host = '127.0.0.1',
) {
  const protos = loadProtos();
  const address = `${host}:${port}`;
  const extMcp = new protos.ExtMcp(address, channel);
  const authorization = new protos.Authorization(address, channel);
  const health = new protos.Health(address, channel);
  return {
    checkRequest: unary(extMcp, 'CheckRequest'),
    checkResponse: unary(extMcp, 'CheckResponse'),
    check: unary(authorization, 'Check'),
    health: unary(health, 'Check'),
    close: () => [extMcp, authorization, health].forEach((client) => client.close()),
  };
}
export type GrpcClients = ReturnType<typeof grpcClients>;

function unary(client: Client, method: string): Unary {
  return (request, headers = {}) =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      const call = (client as unknown as Record<string, (...args: unknown[]) => void>)[method];
      call?.call(client, request, metadata, (error: ServiceError | null, value: unknown) =>
        error ? reject(error) : resolve(value),
      );
    });
}
