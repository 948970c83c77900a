import { UnmappableRequest } from '@behalf/policy-dialects';
import type { IncomingMessage } from 'node:http';

/**
 * A header's value; undefined when absent. One that came twice is refused: which of the two counts differs from
 * program to program, and the server may take the other one.
 *
 * @throws UnmappableRequest `refused`
 */
export function singleHeader(request: Pick<IncomingMessage, 'rawHeaders'>, name: string): string | undefined {
  const values = request.rawHeaders.filter(
    (_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name,
  );
  if (values.length > 1) throw new UnmappableRequest('refused', `the header ${name} is repeated`);
  return values[0];
}
