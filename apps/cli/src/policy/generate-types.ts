import { generateArgumentTypes } from '@behalf/policy';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { CommandOutcome } from '../command-result.js';

const listingSchema = z.record(
  z.string(),
  z.object({ tools: z.array(z.object({ name: z.string(), inputSchema: z.unknown() })) }),
);

/** Writes the `Arguments` type for a schema, from what servers answered to `tools/list`. */
export async function generateTypes(file: string): Promise<CommandOutcome> {
  const listing = listingSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  const tools = Object.entries(listing).flatMap(([server, { tools: listed }]) =>
    listed.map(({ name, inputSchema }) => ({ server, name, inputSchema })),
  );
  const data = generateArgumentTypes(tools);
  const notes = data.omitted.map(
    ({ tool, argument, reason }) =>
      `// left out: ${JSON.stringify(argument)} of ${JSON.stringify(tool)}, ${reason}`,
  );
  return { data, text: [...notes, data.text].join('\n'), failed: false };
}
