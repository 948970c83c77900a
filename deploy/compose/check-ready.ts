import { z } from 'zod';

// `node check-ready.js <port>` ends with 0 when the service on that port of this machine says that it can serve.
const port = z.coerce.number().int().parse(process.argv[2]);
const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
process.exit(answer.ok ? 0 : 1);
