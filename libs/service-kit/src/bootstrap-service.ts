import type { Listen } from '@behalf/config';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AddressInfo } from 'node:net';
import { allowedBus } from './allowed-bus.js';
import { type PlainRoutes, answerAhead } from './answer-ahead.js';
import { healthController } from './health.controller.js';
import { type Infrastructure, InfrastructureModule } from './infrastructure.module.js';
import { limitRequests } from './limit-requests.js';
import { KeptConnections } from './kept-connections.js';
import { createLogger } from './logger.js';
import { measureRequests } from './measure-requests.js';
import { OAuthErrorFilter } from './oauth-error.filter.js';
import type { StandsOn } from './service-health.js';
import { readTlsOptions } from './tls-options.js';
import { traceRequests } from './trace-requests.js';

export interface ServiceOptions {
  name: string;
  module: Type | DynamicModule;
  listen: Listen;
  infrastructure: Infrastructure;
  standsOn: StandsOn;
  /** Runs before anything is served, e.g. to mount a middleware of another framework. */
  configure?: (app: NestExpressApplication) => void | Promise<void>;
  /** What is answered before the framework's router. */
  plainRoutes?: (app: NestExpressApplication) => PlainRoutes;
}

export interface RunningService {
  /** The address that was bound, for the log; the public URL is configuration. */
  url: string;
  app: NestExpressApplication;
  /**
   * Stops accepting, finishes what is running, then ends the modules. At SIGTERM, which comes while clients go on asking,
   * connections that they keep have the time that was promised for them; otherwise they end with what is running.
   */
  close(signal?: NodeJS.Signals): Promise<void>;
}

@Module({})
class ServiceModule {}

/** Starts one service. Bodies are not parsed here: every edge reads its own, strictly and with its own limit. */
export async function bootstrapService(options: ServiceOptions): Promise<RunningService> {
  const { name, listen, infrastructure, standsOn } = options;
  const logger = createLogger(name, infrastructure.config.logLevel);
  const connections = new KeptConnections();
  const root: DynamicModule = {
    module: ServiceModule,
    imports: [
      InfrastructureModule.register(
        { ...infrastructure, logger, bus: allowedBus(name, infrastructure.bus) },
        standsOn,
      ),
      options.module,
    ],
    providers: [{ provide: KeptConnections, useValue: connections }],
    controllers: [healthController(infrastructure.config.health)],
  };
  const app = await NestFactory.create<NestExpressApplication>(root, {
    bodyParser: false,
    logger: false,
    abortOnError: false,
    ...(listen.tls && { httpsOptions: readTlsOptions(listen.tls) }),
  });
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  const timeoutMs = infrastructure.config.requestTimeoutSeconds * 1000;
  const steps = [connections.noting, traceRequests, measureRequests(name), limitRequests(timeoutMs)];
  app.use(...steps);
  app.useGlobalFilters(new OAuthErrorFilter(logger));
  const server = app.getHttpServer();
  connections.watch(server);
  try {
    await options.configure?.(app);
    if (options.plainRoutes) answerAhead(server, options.plainRoutes(app), steps);
    await app.init();
    await infrastructure.bus.announced();
    await app.listen(listen.port, listen.host);
  } catch (error) {
    // Modules have begun before the port turned out to be taken; what they started must not stay behind.
    await app.close();
    throw error;
  }

  const { port } = server.address() as AddressInfo;
  logger.info({ host: listen.host, port }, 'listening');
  return {
    url: `${listen.tls ? 'https' : 'http'}://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    app,
    close: async (signal) => {
      connections.end(signal === 'SIGTERM');
      await app.close();
    },
  };
}
