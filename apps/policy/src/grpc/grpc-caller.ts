import { type ServerErrorResponse, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { OAuthError } from '@behalf/oauth';
import type { CallerAuthentication } from '../http/caller-authentication.js';
import { isLocalProgram } from '../http/is-local-program.js';

type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getPeer' | 'getAuthContext'>;

/**
 * Who asks over gRPC: a bearer token in the metadata, or else a certificate that the server has verified, or else a
 * program on this machine where the configuration allows it. A token that is presented is always checked.
 *
 * @returns the client, or the certificate's subject; undefined for a program on this machine
 * @throws OAuthError as `CallerAuthentication.authenticate`
 */
export async function authenticateGrpcCaller(
  call: AnyCall,
  callers: CallerAuthentication,
  verifiesClients: boolean,
): Promise<string | undefined> {
  const sent = call.metadata.get('authorization');
  if (sent.length > 1) throw new OAuthError('invalid_request', 'the Authorization header is repeated');
  const authorization = sent[0]?.toString();
  if (authorization === undefined && verifiesClients) {
    const subject = call.getAuthContext().sslPeerCertificate?.subject;
    if (subject === undefined) throw new OAuthError('invalid_token', 'a certificate is needed');
    return [subject.CN].flat()[0] ?? 'certificate';
  }
  return callers.authenticateBy(authorization, new URLSearchParams(), isLocal(call));
}

function isLocal(call: AnyCall): boolean {
  const headers = Object.fromEntries(
    Object.entries(call.metadata.getMap()).map(([name, value]) => [name, value.toString()]),
  );
  const remoteAddress = call
    .getPeer()
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return isLocalProgram({ headers, socket: { remoteAddress } });
}

/** The gRPC status of a call that could not be answered at all. */
export function grpcFailure(error: unknown): ServerErrorResponse {
  const failure = (code: status, details: string) => Object.assign(new Error(details), { code, details });
  if (!(error instanceof OAuthError)) return failure(status.INTERNAL, 'something failed here');
  const details = error.toJSON().error_description;
  if (error.status === 401) return failure(status.UNAUTHENTICATED, details);
  if (error.status === 403) return failure(status.PERMISSION_DENIED, details);
  if (error.status === 503) return failure(status.UNAVAILABLE, details);
  return failure(status.INVALID_ARGUMENT, details);
}
