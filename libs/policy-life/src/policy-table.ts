import { type Evaluation, decisionReasonSchema } from '@behalf/contracts';
import { type ConditionDependencies, MemoryBudgetStore, decideWithConditions } from '@behalf/policy';
import type { PolicyEngine } from '@behalf/policy';
import { z } from 'zod';

const json = z.record(z.string(), z.json());

const rowSchema = z.strictObject({
  person: z.string().min(1).optional(),
  /** Calls for itself, and stands in the place of a person that `defaults` may name. */
  agent: z.string().min(1).optional(),
  groups: z.array(z.string()).optional(),
  attributes: json.optional(),
  /** Names of the actors, the current one first, or whole actors. */
  chain: z
    .array(
      z.union([
        z.string(),
        z.strictObject({ sub: z.string(), iss: z.string().optional(), client_id: z.string().optional() }),
      ]),
    )
    .optional(),
  action: z.string().optional(),
  /** `tool files/read_file`, `mcp_server files`, `audience https://...`: type, server before the first slash, name. */
  resource: z.string().regex(/^\S+ .+$/),
  properties: json.optional(),
  arguments: json.optional(),
  scope: z.string().optional(),
  context: json.optional(),
  at: z.iso.datetime().optional(),
  decision: z.enum([...decisionReasonSchema.options, 'denied']),
  /** Exactly these determined the decision. */
  policies: z.array(z.string()).optional(),
  because: z.string().optional(),
});
const completeRowSchema = rowSchema.refine(({ person, agent }) => (agent ?? person) !== undefined, {
  path: ['person'],
  error: 'a row is about a person or an agent',
});
type Row = z.infer<typeof rowSchema>;

const tableSchema = z.strictObject({
  /** Groups of people by name, for rows that name none. */
  people: z.record(z.string(), z.array(z.string())).default({}),
  /** What rows are about that do not say. */
  defaults: rowSchema.partial().omit({ decision: true, policies: true }).default({}),
  issuer: z.string().default('https://as.example'),
  tests: z.array(rowSchema.partial()).min(1),
});
type Table = z.infer<typeof tableSchema> & { rows: Row[] };

export interface RowResult {
  title: string;
  passed: boolean;
  expected: string;
  actual: string;
  policies: string[];
}
export interface TableReport {
  passed: number;
  failed: number;
  results: RowResult[];
}

const serverTypes = new Set(['tool', 'prompt', 'resource_uri']);

/** @throws ZodError, which names rows by their number */
export function parseTable(data: unknown): Table {
  const table = tableSchema.parse(data);
  const rows = table.tests.map(
    (test, index) =>
      z.object({ tests: z.record(z.string(), completeRowSchema) }).parse({
        tests: { [index]: { ...table.defaults, ...test } },
      }).tests[index],
  );
  return { ...table, rows: rows as Row[] };
}

/** Runs every row by itself: no budget is spent by another, and nothing was approved. */
export async function runTable({ rows, people, issuer }: Table, engine: PolicyEngine): Promise<TableReport> {
  const results: RowResult[] = [];
  for (const row of rows) results.push(await runRow(row, people, issuer, engine));
  const passed = results.filter((result) => result.passed).length;
  return { passed, failed: results.length - passed, results };
}

async function runRow(
  row: Row,
  people: Table['people'],
  issuer: string,
  engine: PolicyEngine,
): Promise<RowResult> {
  const dependencies: ConditionDependencies = {
    engine,
    ownIssuer: issuer,
    newId: () => 'row',
    nowMs: Date.parse(row.at ?? '2026-01-01T12:00:00Z'),
    budgets: new MemoryBudgetStore(),
    approvals: { isUsable: async () => false, use: async () => false },
  };
  const { decision, context } = await decideWithConditions(toEvaluation(row, people), dependencies);
  const actual = decision ? 'permitted' : (context?.reason ?? 'denied');
  const policies = context?.policies ?? [];
  const isDecided = row.decision === actual || (row.decision === 'denied' && !decision);
  const isDetermined = row.policies === undefined || sorted(row.policies) === sorted(policies);
  return {
    title: `${row.agent ?? row.person} ${row.action ?? 'tools/call'} ${row.resource}${row.arguments ? ` ${JSON.stringify(row.arguments)}` : ''}`,
    passed: isDecided && isDetermined,
    expected: `${row.decision}${row.policies ? ` by ${sorted(row.policies)}` : ''}`,
    actual: `${actual} by ${sorted(policies)}`,
    policies,
  };
}

function toEvaluation(row: Row, people: Table['people']): Evaluation {
  const [, type = '', name = ''] = /^(\S+) (.+)$/.exec(row.resource) ?? [];
  const slash = serverTypes.has(type) ? name.indexOf('/') : -1;
  return {
    subject: subjectOf(row, people),
    action: { name: row.action ?? 'tools/call' },
    resource: {
      type,
      id: slash > 0 ? name.slice(slash + 1) : name,
      properties: slash > 0 ? { ...row.properties, server: name.slice(0, slash) } : (row.properties ?? {}),
    },
    context: contextOf(row),
  };
}

function subjectOf(row: Row, people: Table['people']): Evaluation['subject'] {
  if (row.agent !== undefined) return { type: 'agent', id: row.agent, properties: row.attributes ?? {} };
  const { person = '' } = row;
  const groups = row.groups ?? (Object.hasOwn(people, person) ? people[person] : undefined) ?? [];
  return { type: 'user', id: person, properties: { ...row.attributes, groups } };
}

function contextOf(row: Row): NonNullable<Evaluation['context']> {
  const context: NonNullable<Evaluation['context']> = { ...row.context, arguments: row.arguments ?? {} };
  const actors = row.chain?.map((actor) => (typeof actor === 'string' ? { sub: actor } : actor));
  if (actors !== undefined) context['actors'] = actors;
  if (row.scope !== undefined) context['scope'] = row.scope;
  return context;
}

function sorted(values: string[]): string {
  return values.toSorted().join(', ') || 'no policy';
}
