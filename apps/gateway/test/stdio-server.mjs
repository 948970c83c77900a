// A server of 2025-11-25 over standard streams that does what tests need: it tells its environment, reports progress
// under the token it was given, notes cancellations, asks its client things, and ends when told to.
import { createInterface } from 'node:readline';

const cancelled = [];
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });

const tools = {
  environment: (id) => send({ id, result: text(Object.keys(process.env).sort()) }),
  cancelled: (id) => send({ id, result: text(cancelled) }),
  meta: (id, params) => send({ id, result: text(params._meta ?? null) }),
  hang: (id) => process.stderr.write(`hanging ${id}\n`),
  crash: () => process.exit(3),
  flood: () => process.stdout.write('x'.repeat(33 * 1024 * 1024)),
  progress: (id, params) => {
    send({ method: 'notifications/message', params: { level: 'info', data: 'for nobody in particular' } });
    const { progressToken } = params._meta ?? {};
    if (progressToken !== undefined)
      send({
        method: 'notifications/progress',
        params: { progressToken, progress: 1, message: params.arguments.say },
      });
    send({ id, result: text('done') });
  },
  change: (id) => {
    description = 'changed';
    send({ method: 'notifications/tools/list_changed' });
    send({ id, result: text('done') });
  },
  ask: (id) => {
    answers.set('asked', (answer) => send({ id, result: text(answer) }));
    send({ id: 'asked', method: 'roots/list' });
  },
};
const answers = new Map();
let description;

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params, result, error } = JSON.parse(line);
  if (method === 'initialize')
    send({
      id,
      result: {
        protocolVersion: '2025-11-25',
        capabilities: { tools: { listChanged: true }, logging: {} },
        serverInfo: { name: 'fake', version: '1' },
        instructions: `process ${process.pid}`,
      },
    });
  else if (method === 'tools/list')
    send({
      id,
      result: {
        tools: Object.keys(tools).map((name) => ({ name, description, inputSchema: { type: 'object' } })),
      },
    });
  else if (method === 'tools/call')
    (tools[params.name] ?? (() => send({ id, error: { code: -32602, message: 'unknown tool' } })))(
      id,
      params,
    );
  else if (method === 'resources/read') send({ id, error: { code: -32002, message: 'not found' } });
  else if (method === 'notifications/cancelled') cancelled.push(params.requestId);
  else if (method === undefined) answers.get(id)?.(result ?? error);
  else if (id !== undefined) send({ id, error: { code: -32601, message: 'unknown method' } });
});
