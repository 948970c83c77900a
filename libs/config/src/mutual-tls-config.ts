import ipaddr from 'ipaddr.js';
import { z } from 'zod';

const proxy = z
  .string()
  .refine(
    (text) => ipaddr.isValid(text) || ipaddr.isValidCIDR(text),
    'must be an IP address or a network (CIDR)',
  );

/** Client certificates, of the authorization server and the gateway alike. */
export const mutualTlsSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Whether clients may authenticate with certificates, and tokens be bound to them (RFC 8705).',
      ),
    authoritiesFile: z
      .string()
      .optional()
      .describe('PEM file of who issues the certificates of `tls_client_auth`; intermediates, too.'),
    trustedProxies: z
      .array(proxy)
      .default([])
      .describe(
        'Proxies that end TLS and whose `Client-Cert` header (RFC 9440) is believed. From others it is ignored.',
      ),
  })
  .prefault({});
export type MutualTlsConfig = z.output<typeof mutualTlsSchema>;
