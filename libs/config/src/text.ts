import { z } from 'zod';

export const scopeToken = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope (RFC 6749 §3.3)');

export const headerName = z.string().regex(/^[a-z0-9-]+$/, 'must be the name of a header in lower case');
