import { type GrpcObject, type ServiceClientConstructor, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const files = [
  'agentgateway/ext_mcp.proto',
  'envoy/service/auth/v3/external_auth.proto',
  'grpc/health/v1/health.proto',
];

export interface Services {
  ExtMcp: ServiceClientConstructor;
  Authorization: ServiceClientConstructor;
  Health: ServiceClientConstructor;
}

/** The services as the .proto files beside this app declare them, for a server and for clients. */
export function loadProtos(): Services {
  const definition = loadSync(files, {
    includeDirs: [protoFolder()],
    keepCase: true,
    longs: String,
    arrays: true,
    oneofs: true,
  });
  const root = loadPackageDefinition(definition);
  return {
    ExtMcp: at(root, 'agentgateway.dev.ext_mcp.ExtMcp'),
    Authorization: at(root, 'envoy.service.auth.v3.Authorization'),
    Health: at(root, 'grpc.health.v1.Health'),
  };
}

/** The compiled program stands deeper than its source, and the .proto files are not compiled. */
function protoFolder(): string {
  const wanted = join('apps', 'policy', 'proto');
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, wanted, files[0] ?? ''))) return join(folder, wanted);
    if (folder === dirname(folder)) throw new Error(`the folder ${wanted} is missing`);
  }
}

function at(root: GrpcObject, name: string): ServiceClientConstructor {
  let found: GrpcObject[string] | undefined = root;
  for (const part of name.split('.')) found = (found as GrpcObject | undefined)?.[part];
  return found as ServiceClientConstructor;
}
