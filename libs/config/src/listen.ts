import { z } from 'zod';

/** An absolute http(s) URL without query, fragment or slash at the end: identifiers are compared byte for byte. */
export const baseUrl = z
  .url({ protocol: /^https?$/ })
  .refine(
    (value) => !/[?#]/.test(value) && !value.endsWith('/'),
    'must have no query, fragment or slash at the end',
  );

export const path = z
  .string()
  .regex(/^\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/, 'must begin with a slash and not end with one');

/** Where a service accepts connections. */
export const listenSchema = (defaultPort: number) =>
  z
    .strictObject({
      host: z
        .string()
        .default('127.0.0.1')
        .describe('Address to bind. Put a TLS proxy in front before you widen it.'),
      port: z.int().min(0).max(65535).default(defaultPort).describe('Port to bind; 0 takes a free one.'),
      tls: z
        .strictObject({
          certFile: z.string().describe('PEM: its certificate and the intermediates.'),
          keyFile: z.string().describe('PEM: its private key.'),
          requestClientCertificate: z
            .boolean()
            .default(false)
            .describe('Asks clients for a certificate; any is taken, and judged where it is used.'),
        })
        .optional()
        .describe('Serves https itself; without it a proxy does.'),
    })
    .prefault({});

export interface Listen {
  host: string;
  port: number;
  tls?: { certFile: string; keyFile: string; requestClientCertificate: boolean } | undefined;
}
