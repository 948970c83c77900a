import {
  type CallToolResult,
  type InputRequests,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
  acceptedContent,
  inputRequired,
} from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { describeTool, oneField, text } from './samples.js';

export type Mint = (state: Record<string, unknown>) => Promise<string>;
type Answer = CallToolResult | InputRequiredResult;

const askName = () =>
  inputRequired.elicit({ message: 'What is your name?', requestedSchema: oneField('name') });
const askConfirmation = () =>
  inputRequired.elicit({
    message: 'Please confirm',
    requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
  });
const askModel = (question: string) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: text(question) }], maxTokens: 100 });
const done = (message: string): Answer => ({ content: [text(message)] });

/** Tools whose calls take several rounds (SEP-2322): each answers with what it still needs until it has it. */
export function addInputRequiredTools(server: McpServer, mint: Mint): void {
  const tool = (name: string, run: (context: ServerContext) => Answer | Promise<Answer>): void =>
    void server.registerTool(
      name,
      { description: describeTool(name), inputSchema: z.object({}) },
      async (_args, context) => run(context),
    );
  const named = (suffix: string) => `test_input_required_result_${suffix}`;

  tool(named('elicitation'), ({ mcpReq }) => {
    const name = acceptedContent<{ name: string }>(mcpReq.inputResponses, 'user_name')?.name;
    return typeof name === 'string'
      ? done(`Hello, ${name}!`)
      : inputRequired({ inputRequests: { user_name: askName() } });
  });
  tool(named('sampling'), ({ mcpReq }) => {
    const answer = mcpReq.inputResponses?.['capital_question'];
    return answer === undefined
      ? inputRequired({ inputRequests: { capital_question: askModel('What is the capital of France?') } })
      : done(`Sampling response: ${JSON.stringify(answer)}`);
  });
  tool(named('list_roots'), ({ mcpReq }) => {
    const answer = mcpReq.inputResponses?.['client_roots'] as { roots?: unknown[] } | undefined;
    return Array.isArray(answer?.roots)
      ? done(`Client exposed ${answer.roots.length} root(s): ${JSON.stringify(answer.roots)}`)
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
  for (const [suffix, message] of [
    ['request_state', 'state-ok: requestState verified and confirmation received'],
    ['tampered_state', 'integrity-ok: requestState verified'],
  ] as const)
    tool(named(suffix), async ({ mcpReq }) =>
      mcpReq.requestState() !== undefined && acceptedContent(mcpReq.inputResponses, 'confirm') !== undefined
        ? done(message)
        : inputRequired({
            inputRequests: { confirm: askConfirmation() },
            requestState: await mint({ tool: suffix, nonce: randomUUID() }),
          }),
    );
  tool(named('multiple_inputs'), async ({ mcpReq: { inputResponses } }) => {
    const name = acceptedContent<{ name: string }>(inputResponses, 'user_name')?.name;
    const { greeting, client_roots } = inputResponses ?? {};
    return name !== undefined && greeting !== undefined && client_roots !== undefined
      ? done(`${JSON.stringify(greeting)} ${name}, ${JSON.stringify(client_roots)}`)
      : inputRequired({
          inputRequests: {
            user_name: askName(),
            greeting: askModel('Generate a greeting'),
            client_roots: inputRequired.listRoots(),
          },
          requestState: await mint({ tool: 'multiple_inputs', nonce: randomUUID() }),
        });
  });
  tool(named('multi_round'), async ({ mcpReq }) => {
    const round = mcpReq.requestState<{ round?: number }>()?.round ?? 0;
    if (round === 2) return done(`Multi-round complete: ${JSON.stringify(mcpReq.inputResponses)}`);
    return inputRequired({
      inputRequests: { [`step${round + 1}`]: askName() },
      requestState: await mint({ tool: 'multi_round', round: round + 1, nonce: randomUUID() }),
    });
  });
  tool(named('capabilities'), ({ mcpReq }) => {
    if (mcpReq.inputResponses !== undefined) return done('fulfilled');
    const declared = (mcpReq.envelope as Record<string, Record<string, object>> | undefined)?.[
      'io.modelcontextprotocol/clientCapabilities'
    ];
    const inputRequests: InputRequests = {
      ...(declared?.elicitation && { user_name: askName() }),
      ...(declared?.sampling && { greeting: askModel('Generate a short greeting') }),
      ...(declared?.roots && { client_roots: inputRequired.listRoots() }),
    };
    return Object.keys(inputRequests).length === 0
      ? done('No declared capability allows a question')
      : inputRequired({ inputRequests });
  });
  tool('test_missing_capability', ({ mcpReq }) =>
    mcpReq.inputResponses?.['llm_answer'] === undefined
      ? inputRequired({ inputRequests: { llm_answer: askModel('Reply with the single word: pong') } })
      : done('sampling round-trip complete'),
  );
}
