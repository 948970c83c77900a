import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import type { ServiceHealth } from '@behalf/service-kit';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { type PolicyServiceConfig, batchLimits } from '../config.js';
import type { CallerAuthentication } from '../http/caller-authentication.js';
import { answerWithin } from './answer-within.js';
import type { CheckRequest, ExtAuthzService } from './ext-authz.service.js';
import type { ExtMcpService, McpRequest, McpResponse } from './ext-mcp.service.js';
import { authenticateGrpcCaller, grpcFailure } from './grpc-caller.js';
import { healthHandlers } from './health.service.js';
import { loadProtos } from './load-protos.js';

/** The body of a list of hundreds of tools, and what stands around it. */
const maxMessageBytes = batchLimits.maxBytes + 64 * 1024;
const drainMs = 5_000;

export interface GrpcServices {
  extMcp: ExtMcpService;
  extAuthz: ExtAuthzService;
  callers: CallerAuthentication;
  health: ServiceHealth;
}

/** Serves the gRPC dialects where the configuration wants them. Everybody is authenticated before anything is read. */
export class GrpcServer implements OnModuleInit, OnModuleDestroy {
  #server: Server | undefined;
  #port: number | undefined;

  constructor(
    private readonly config: PolicyServiceConfig,
    private readonly services: GrpcServices,
  ) {}

  /** The bound port; undefined when gRPC is off. */
  get port(): number | undefined {
    return this.#port;
  }

  async onModuleInit(): Promise<void> {
    const { grpc } = this.config;
    if (grpc === undefined) return;
    const { extMcp, extAuthz, health } = this.services;
    const protos = loadProtos();
    const server = new Server({ 'grpc.max_receive_message_length': maxMessageBytes });
    server.addService(protos.ExtMcp.service, {
      CheckRequest: this.#unary<McpRequest>((request, caller) => extMcp.checkRequest(request, caller)),
      CheckResponse: this.#unary<McpResponse>((response, caller) => extMcp.checkResponse(response, caller)),
    });
    server.addService(protos.Authorization.service, {
      Check: this.#unary<CheckRequest>((request, caller) => extAuthz.check(request, caller)),
    });
    server.addService(protos.Health.service, healthHandlers(health));
    const host = grpc.host.includes(':') ? `[${grpc.host}]` : grpc.host;
    this.#port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`${host}:${grpc.port}`, credentials(grpc.tls), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    );
    this.#server = server;
  }

  async onModuleDestroy(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const late = setTimeout(() => server.forceShutdown(), drainMs);
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    clearTimeout(late);
  }

  #unary<Request>(answer: (request: Request, caller: string | undefined) => Promise<object>) {
    const verifiesClients = this.config.grpc?.tls?.clientCaFile !== undefined;
    return (call: ServerUnaryCall<Request, object>, reply: sendUnaryData<object>): void => {
      const work = async (): Promise<object> =>
        answer(call.request, await authenticateGrpcCaller(call, this.services.callers, verifiesClients));
      answerWithin(this.config.requestTimeoutMs, call, work).then(
        (value) => reply(null, value),
        (error: unknown) => reply(grpcFailure(error)),
      );
    };
  }
}

function credentials(tls: NonNullable<PolicyServiceConfig['grpc']>['tls']): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { certFile, keyFile, clientCaFile } = tls;
  const pair = { cert_chain: readFileSync(certFile), private_key: readFileSync(keyFile) };
  const clientCa = clientCaFile === undefined ? null : readFileSync(clientCaFile);
  return ServerCredentials.createSsl(clientCa, [pair], clientCa !== null);
}
