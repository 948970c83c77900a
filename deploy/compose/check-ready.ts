import { get } from 'node:http';

// `node check-ready.js <port>` ends with 0 when the service on that port of this machine says that it can serve. Every
// container runs it every few seconds, so it loads nothing that it can do without.
const request = get({ host: '127.0.0.1', port: Number(process.argv[2]), path: '/readyz', timeout: 5_000 });
request.on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1));
request.on('timeout', () => process.exit(1));
request.on('error', () => process.exit(1));
