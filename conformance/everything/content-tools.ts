import {
  type CallToolResult,
  type McpServer,
  type ServerContext,
  fromJsonSchema,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { describeTool, text, tinyPng, tinyWav } from './samples.js';

const results: Record<string, CallToolResult['content']> = {
  test_simple_text: [text('This is a simple text response for testing.')],
  test_image_content: [{ type: 'image', data: tinyPng, mimeType: 'image/png' }],
  test_audio_content: [{ type: 'audio', data: tinyWav, mimeType: 'audio/wav' }],
  test_embedded_resource: [
    {
      type: 'resource',
      resource: {
        uri: 'test://embedded-resource',
        mimeType: 'text/plain',
        text: 'This is an embedded resource content.',
      },
    },
  ],
  test_multiple_content_types: [
    text('Multiple content types test:'),
    { type: 'image', data: tinyPng, mimeType: 'image/png' },
    {
      type: 'resource',
      resource: {
        uri: 'test://mixed-content-resource',
        mimeType: 'application/json',
        text: '{"test":"data","value":123}',
      },
    },
  ],
  test_streaming_elicitation: [text('nothing but results travels on this stream')],
};

/** Tools that answer with each kind of content, with notifications on the way, or with an error. */
export function addContentTools(server: McpServer): void {
  for (const [name, content] of Object.entries(results))
    server.registerTool(name, { description: describeTool(name) }, () => ({ content }));

  server.registerTool('test_error_handling', { description: describeTool('test_error_handling') }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool(
    'test_tool_with_logging',
    { description: describeTool('test_tool_with_logging'), inputSchema: z.object({}) },
    async (_args, context) => {
      for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed'])
        await context.mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
      return { content: [text('done')] };
    },
  );
  server.registerTool(
    'test_logging_tool',
    { description: describeTool('test_logging_tool'), inputSchema: z.object({}) },
    async (_args, context) => {
      await context.mcpReq.log('info', 'only sent when the request named a log level');
      return { content: [text('logged')] };
    },
  );
  server.registerTool(
    'test_tool_with_progress',
    { description: describeTool('test_tool_with_progress'), inputSchema: z.object({}) },
    async (_args, context) => reportProgress(context),
  );
  server.registerTool(
    'test_x_mcp_header',
    {
      description: describeTool('test_x_mcp_header'),
      inputSchema: fromJsonSchema<{ region?: string }>({
        type: 'object',
        properties: { region: mirrored, level: { type: 'integer' } },
      }),
    },
    ({ region }) => ({ content: [text(`region=${region ?? ''}`)] }),
  );
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: describeTool('json_schema_2020_12_tool'), inputSchema: fromJsonSchema(vocabulary) },
    (args) => ({
      content: [text(JSON.stringify(args))],
    }),
  );
}

async function reportProgress({ mcpReq }: ServerContext): Promise<CallToolResult> {
  const progressToken = mcpReq._meta?.progressToken;
  for (const progress of progressToken === undefined ? [] : [0, 50, 100])
    await mcpReq.notify({
      method: 'notifications/progress',
      params: { progressToken: progressToken as string | number, progress, total: 100 },
    });
  return { content: [text(String(progressToken ?? 'no-progress-token'))] };
}

/** A property whose value is repeated in a header (SEP-2243). */
const mirrored: Record<string, unknown> = { type: 'string', 'x-mcp-header': 'Region' };

const vocabulary = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const;
