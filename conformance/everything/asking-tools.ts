import type { ElicitRequestFormParams, McpServer, ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { describeTool, oneField, text } from './samples.js';

type Form = ElicitRequestFormParams['requestedSchema'];

/** Every primitive type with a default (SEP-1034). */
const withDefaults = {
  type: 'object' as const,
  properties: {
    name: { type: 'string' as const, default: 'John Doe' },
    age: { type: 'integer' as const, default: 30 },
    score: { type: 'number' as const, default: 95.5 },
    status: { type: 'string' as const, enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean' as const, default: true },
  },
};

const titled = (...names: string[]) =>
  names.map((name, index) => ({ const: `value${index + 1}`, title: `${name} Option` }));

/** Every way to offer a choice (SEP-1330). */
const withChoices = {
  type: 'object' as const,
  properties: {
    untitledSingle: { type: 'string' as const, enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string' as const, oneOf: titled('First', 'Second', 'Third') },
    legacyEnum: {
      type: 'string' as const,
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: {
      type: 'array' as const,
      items: { type: 'string' as const, enum: ['option1', 'option2', 'option3'] },
    },
    titledMulti: { type: 'array' as const, items: { anyOf: titled('First', 'Second', 'Third') } },
  },
};

/** Tools that ask the client something during a call, as servers of the legacy era do. */
export function addAskingTools(server: McpServer, closeStream: (context: ServerContext) => void): void {
  const ask = async (context: ServerContext, message: string, requestedSchema: Form) => {
    const answer = await context.mcpReq.send({
      method: 'elicitation/create',
      params: { message, requestedSchema },
    });
    return { content: [text(`Elicitation completed: ${JSON.stringify(answer)}`)] };
  };
  server.registerTool(
    'test_elicitation',
    { description: describeTool('test_elicitation'), inputSchema: z.object({ message: z.string() }) },
    async ({ message }, context) => ask(context, message, oneField('response')),
  );
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: describeTool('test_elicitation_sep1034_defaults'), inputSchema: z.object({}) },
    async (_args, context) => ask(context, 'Please review the defaults', withDefaults),
  );
  server.registerTool(
    'test_elicitation_sep1330_enums',
    { description: describeTool('test_elicitation_sep1330_enums'), inputSchema: z.object({}) },
    async (_args, context) => ask(context, 'Please choose', withChoices),
  );
  server.registerTool(
    'test_sampling',
    { description: describeTool('test_sampling'), inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, context) => {
      const answer = await context.mcpReq.send({
        method: 'sampling/createMessage',
        params: { messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100 },
      });
      return { content: [text(`LLM response: ${JSON.stringify(answer)}`)] };
    },
  );
  server.registerTool(
    'test_reconnection',
    { description: describeTool('test_reconnection'), inputSchema: z.object({}) },
    async (_args, context) => {
      closeStream(context);
      // The client has to come back for the result (SEP-1699).
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { content: [text('Reconnection test completed successfully.')] };
    },
  );
}
