import {
  type Classified,
  McpError,
  type McpMethod,
  type McpRequest,
  describeMethod,
  mcpErrorCodes,
  namedThing,
} from '@behalf/mcp';

/**
 * The description of the method that a request calls. What is decided on a thing must name one: a call of nothing would
 * be decided otherwise.
 *
 * @throws McpError -32601, -32602
 */
export function knownMethod(message: McpRequest, { era }: Classified): McpMethod {
  const method = describeMethod(message.method, era);
  if (!method)
    throw new McpError(mcpErrorCodes.methodNotFound, 'Method not found', {
      status: era === 'modern' ? 404 : 200,
    });
  const { decidedOn, nameParam = 'ref' } = method;
  if (decidedOn !== 'server' && decidedOn !== 'token' && !namedThing(message, method))
    throw new McpError(mcpErrorCodes.invalidParams, `Invalid params: ${nameParam} is missing`, {
      status: 200,
    });
  return method;
}
