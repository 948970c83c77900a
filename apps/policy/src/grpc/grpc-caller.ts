import { type ServerErrorResponse, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { OAuthError } from '@behalf/oauth';
import { X509Certificate } from 'node:crypto';
import type { CallerAuthentication } from '../http/caller-authentication.js';
import { isLocalProgram } from '../http/is-local-program.js';

type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getPeer' | 'getAuthContext'>;

/**
 * Who asks over gRPC: a bearer token in the metadata, or else a certificate that the server has verified and that names
 * a configured caller, or else a program on this machine where the configuration allows it. A token that is presented is always checked.
 *
 * @returns the client, or the caller's name; undefined for a program on this machine
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
  const raw = verifiesClients ? call.getAuthContext().sslPeerCertificate?.raw : undefined;
  const certified = raw === undefined ? undefined : callers.certifiedBy(new X509Certificate(raw));
  // Where certificates are asked for, being on this machine is not enough.
  const isLocal = !verifiesClients && isLocalCall(call);
  return callers.authenticateBy(authorization, new URLSearchParams(), { certified, isLocal });
}

function isLocalCall(call: AnyCall): boolean {
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
