import { z } from 'zod';
import { headerName, scopeToken } from './text.js';

const forwardOrigin = z
  .url({ protocol: /^https?$/ })
  .refine((url) => URL.parse(url)?.origin === url, 'must be scheme, host and port, and nothing more');

/** What says who is asking, how a message is framed, where it goes, or what it means. */
const neverForwarded =
  /^(?:authorization|proxy-.*|cookie2?|set-cookie2?|dpop.*|www-authenticate|host|connection|keep-alive|te|trailer|transfer-encoding|content-length|upgrade|expect|forwarded|via|x-forwarded-.*|x-real-ip|x-http-method.*|x-method-override|access-control-.*|location|origin|referer|sec-.*)$/;
const forwardedHeaders = z
  .array(headerName.refine((name) => !neverForwarded.test(name), 'is never passed on'))
  .default([]);

const forwardRuleSchema = z.strictObject({
  origin: forwardOrigin
    .optional()
    .describe('Scheme, host and port of the API; those of the first of `resources` without it.'),
  methods: z
    .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']))
    .min(1)
    .default(['GET', 'HEAD']),
  paths: z
    .array(z.string().regex(/^(?=\/)(?:\/[^/?#%;*\s]+|\/\*)*(?:\/\*\*|\/)?$/, 'must be a path'))
    .min(1)
    .describe('`/repos/*`: `*` is any one segment, `**` at the end one or more. Nothing is encoded in it.'),
  scopes: z
    .array(scopeToken)
    .default([])
    .describe(
      'The scopes of the provider that such a call needs: of the token, and of what its person agreed to.',
    ),
});

export const forwardSchema = z
  .strictObject({
    rules: z.array(forwardRuleSchema).min(1),
    requestHeaders: forwardedHeaders.describe('Passed on to the provider besides the usual ones.'),
    responseHeaders: forwardedHeaders.describe('Passed back besides the usual ones.'),
    maxRequestBytes: z.int().positive().default(1_048_576),
    maxResponseBytes: z.int().positive().default(10_485_760),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(300)
      .default(60)
      .describe('For the whole call, the last byte included.'),
  })
  .describe('What agents may call of its API through `paths.forward`, without ever holding the token.');
