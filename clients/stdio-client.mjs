// Drives a program that speaks MCP on its standard streams, as a desktop client would:
// `node stdio-client.mjs TOOL ARGUMENTS -- COMMAND ...`. Prints the tools and the text of the call as JSON.
import { Client } from 'sdk-1.32/client/index.js';
import { StdioClientTransport } from 'sdk-1.32/client/stdio.js';

const end = process.argv.indexOf('--');
const [tool, toolArguments] = process.argv.slice(2, end);
const [command, ...args] = process.argv.slice(end + 1);
const client = new Client({ name: 'behalf-test', version: '1.0.0' });
await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' }));
const { tools } = await client.listTools();
const result = await client.callTool({ name: tool, arguments: JSON.parse(toolArguments) });
console.log(
  JSON.stringify({
    tools: tools.map(({ name }) => name),
    isError: result.isError === true,
    text: result.content.map(({ text }) => text ?? '').join('\n'),
  }),
);
await client.close();
