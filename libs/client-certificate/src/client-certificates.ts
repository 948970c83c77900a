import type { X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { certificateThumbprint } from './certificate-thumbprint.js';
import { parseClientCertHeader } from './parse-client-cert-header.js';

const headerName = 'client-cert';

/** What is read of a request of node's. */
export interface CertifiedRequest {
  headersDistinct: Readonly<Record<string, string[] | undefined>>;
  socket: {
    remoteAddress?: string | undefined;
    /** Of TLS connections only. */
    getPeerX509Certificate?: () => X509Certificate | undefined;
  };
}

export interface ClientCertificatesOptions {
  /** Addresses and networks (CIDR) of proxies whose `Client-Cert` header is believed. */
  trustedProxies: readonly string[];
}

/**
 * Finds the certificate of whoever made a request.
 *
 * The header of RFC 9440 counts on a connection from a trusted proxy, and there nothing else does: the certificate of
 * that connection is the proxy's own. On every other connection the header is ignored, since anybody can write it.
 * Holding the private key is proved by the TLS handshake; who issued the certificate is not looked at here.
 *
 * @see RFC 9440 §4, RFC 8705 §3
 */
export class ClientCertificates {
  readonly #trusted: [ipaddr.IPv4 | ipaddr.IPv6, number][];

  /** @throws Error for a proxy that is neither an address nor a network */
  constructor({ trustedProxies }: ClientCertificatesOptions) {
    this.#trusted = trustedProxies.map((text) => {
      if (text.includes('/')) return ipaddr.parseCIDR(text);
      const address = ipaddr.parse(text);
      return [address, address.kind() === 'ipv4' ? 32 : 128];
    });
  }

  of(request: CertifiedRequest): X509Certificate | undefined {
    const { socket } = request;
    if (!this.#isTrusted(socket.remoteAddress)) return socket.getPeerX509Certificate?.();
    const values = request.headersDistinct[headerName] ?? [];
    // Two values are two proxies, or a client and a proxy that does not take the client's header away.
    return values.length === 1 ? parseClientCertHeader(values[0] ?? '') : undefined;
  }

  thumbprint(request: CertifiedRequest): string | undefined {
    const certificate = this.of(request);
    return certificate && certificateThumbprint(certificate);
  }

  #isTrusted(remoteAddress: string | undefined): boolean {
    if (this.#trusted.length === 0 || remoteAddress === undefined) return false;
    if (!ipaddr.isValid(remoteAddress)) return false;
    const address = ipaddr.process(remoteAddress);
    return this.#trusted.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
    );
  }
}
