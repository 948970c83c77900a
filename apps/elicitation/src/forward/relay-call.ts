import { OAuthError } from '@behalf/oauth';
import {
  type OutboundRelay,
  type RelayedAnswer,
  encodePath,
  forwardedLocation,
  forwardedRequestHeaders,
  forwardedResponseHeaders,
  isTransportFailure,
} from '@behalf/third-party';
import type { OpenedCredential } from '@behalf/vault';
import type { Request, Response } from 'express';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AllowedCall } from './forward-desk.js';

/** Nobody is to read an answer of somebody else's as a page of ours. */
const ownHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  via: '1.1 behalf',
};

/** The third party no longer takes the credential. */
export class CredentialRefused extends Error {
  override readonly name = 'CredentialRefused';
}

/**
 * Makes a call with the credential in it, and passes the answer on while it arrives. Nothing of the caller's request
 * goes along but its content and what describes it; redirects are told as addresses of ours, or not at all.
 *
 * @param base what is called below us, as the caller knows it
 * @throws CredentialRefused; OAuthError; what the signal was aborted with
 */
export async function relayCall(
  call: AllowedCall,
  { accessToken, header, prefix }: OpenedCredential,
  {
    request,
    response,
    base,
    signal,
  }: { request: Request; response: Response; base: string; signal: AbortSignal },
  relay: OutboundRelay,
): Promise<void> {
  const { provider, method, target, matched } = call;
  const { forwarding } = provider;
  const url = `${matched.rule.origin}${encodePath(target.segments)}${target.query}`;
  const body = readRequest(request, forwarding.maxRequestBytes);
  try {
    await relay(
      url,
      {
        method,
        headers: {
          'user-agent': 'behalf',
          ...forwardedRequestHeaders(request.headers as Record<string, string | undefined>, forwarding),
          ...(body?.length !== undefined && { 'content-length': body.length }),
          // Last: nothing that a caller sends takes its place.
          [header.toLowerCase()]: `${prefix}${accessToken}`,
        },
        ...(body && { body: body.stream }),
        internalHosts: provider.internalHosts,
        signal,
        maxBytes: forwarding.maxResponseBytes,
        timeoutMs: forwarding.timeoutMs,
      },
      (answer) => passOn(answer, call, response, { base, from: url }),
    );
  } catch (error) {
    if (body?.isTooLarge()) throw tooLarge();
    throw asOAuthError(error);
  }
}

async function passOn(
  { status, headers, body }: RelayedAnswer,
  { provider: { forwarding }, method }: AllowedCall,
  response: Response,
  { base, from }: { base: string; from: string },
): Promise<void> {
  if (status === 401) throw new CredentialRefused();
  const isRedirect = status >= 300 && status < 400 && status !== 304;
  // A see-other leads to a page that is read, whatever was sent before.
  const nextMethod = status === 303 || status === 201 ? 'GET' : method;
  const location =
    headers['location'] === undefined
      ? undefined
      : forwardedLocation(headers['location'], { base, from, method: nextMethod }, forwarding);
  if ((isRedirect && location === undefined) || status === 407 || status < 200)
    throw new OAuthError('server_error', 'the third party sends the caller elsewhere', { status: 502 });
  const hasBody = !isRedirect && method !== 'HEAD';
  const length = headers['content-length'];
  if (hasBody && Number(length ?? 0) > forwarding.maxResponseBytes)
    throw new OAuthError('server_error', 'the answer of the third party is too large', { status: 502 });
  response.status(status);
  const told = {
    ...forwardedResponseHeaders(headers, forwarding),
    ...ownHeaders,
    ...(location && { location }),
  };
  // Not by the framework, which has opinions on content types.
  for (const [name, value] of Object.entries(told)) response.setHeader(name, value);
  // The text of a redirect would name the address that the caller is not sent to.
  if (!hasBody) return void response.end();
  if (/^\d{1,15}$/.test(length ?? '')) response.setHeader('content-length', Number(length));
  await pipeline(Readable.from(body), response);
}

/** The caller's content, piece by piece and up to its limit. @throws OAuthError `invalid_request` */
function readRequest(
  request: Request,
  maxBytes: number,
): { stream: Readable; length: string | undefined; isTooLarge: () => boolean } | undefined {
  const { 'content-length': length, 'transfer-encoding': transferEncoding } = request.headers;
  if (length === undefined && transferEncoding === undefined) return undefined;
  if (request.method === 'GET' || request.method === 'HEAD')
    throw new OAuthError('invalid_request', 'such a call has no body');
  if (Number(length ?? 0) > maxBytes) throw tooLarge();
  let bytes = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      yield chunk;
    }
  }
  return {
    stream: Readable.from(counted(), { objectMode: false }),
    length,
    isTooLarge: () => bytes > maxBytes,
  };
}

function tooLarge(): OAuthError {
  return new OAuthError('invalid_request', 'the body is too large', { status: 413 });
}

function asOAuthError(error: unknown): unknown {
  for (let link = error; link instanceof Error; link = link.cause)
    if (link instanceof OAuthError || link instanceof CredentialRefused) return link;
  if (!isTransportFailure(error)) return error;
  switch (error.reason) {
    case 'timeout':
      return new OAuthError('temporarily_unavailable', 'the third party did not answer in time', {
        cause: error,
        status: 504,
      });
    case 'unreachable':
      // What was sent may have been acted on: whether to try again is for the caller to know.
      return error.wasSent
        ? new OAuthError('server_error', 'the third party gave no answer', { cause: error, status: 502 })
        : new OAuthError('temporarily_unavailable', 'the third party cannot be reached', {
            cause: error,
            retryAfterSeconds: 2,
          });
    default:
      return new OAuthError('server_error', 'the answer of the third party cannot be passed on', {
        cause: error,
        status: 502,
      });
  }
}
