import { z } from 'zod';
import { agentChanged, agentCreated, agentResumed, agentRetired, agentSuspended } from './agents.js';
import { auditCheckpointSigned } from './audit.js';
import { connectionChanged, consentWithdrawn, vaultAlarmed } from './connections.js';
import type { DescribedEvent } from './define.js';
import {
  delegationGrantMade,
  delegationGrantNarrowed,
  delegationGrantRenewed,
  delegationGrantRevoked,
} from './delegation-grants.js';
import { elicitationChanged } from './elicitation.js';
import { policyChanged, signingKeysRotated, toolPinsChanged } from './events.js';
import { revocationCreated } from './revocations.js';
import { serviceAccess } from './service-access.js';

/** All events there are. */
export const events: readonly DescribedEvent<unknown>[] = [
  revocationCreated,
  agentCreated,
  agentChanged,
  agentSuspended,
  agentResumed,
  agentRetired,
  delegationGrantMade,
  delegationGrantRenewed,
  delegationGrantNarrowed,
  delegationGrantRevoked,
  connectionChanged,
  consentWithdrawn,
  vaultAlarmed,
  elicitationChanged,
  policyChanged,
  toolPinsChanged,
  signingKeysRotated,
  auditCheckpointSigned,
];

interface Field {
  type?: string;
  enum?: unknown[];
  description?: string;
  personal?: boolean;
  items?: Field;
}

/** The catalogue of events as Markdown: `docs/events.md` is this text, and a test holds the two together. */
export function eventCatalogue(): string {
  return [
    '# Events',
    '',
    'What has happened, told to everybody who may hear it: over JetStream as `behalf.event.<type without behalf.>` in the',
    'stream `BEHALF_EVENTS`, which keeps a day of them, or inside the process. An event commits with the change it tells, arrives',
    'at least once and in one order, and never holds a token or a secret. To be told outside of NATS, see',
    '[shared-signals.md](shared-signals.md). Generated from `libs/contracts` by `npm run docs`.',
    '',
    'The message is JSON: `{"id", "type", "sequence", "occurredAtMs", "data"}`. `sequence` counts all events without a gap, so',
    'that a listener sees what it missed. Headers carry the same as CloudEvents attributes:',
    '',
    '| header | CloudEvents attribute | is |',
    '| --- | --- | --- |',
    '| `ce-specversion` | `specversion` | `1.0` |',
    '| `ce-id` | `id` | the `id`; the same when an event is told twice |',
    '| `ce-source` | `source` | `behalf` |',
    '| `ce-type` | `type` | the `type` |',
    '| `ce-time` | `time` | `occurredAtMs`, as RFC 3339 |',
    '',
    '| event | personal data |',
    '| --- | --- |',
    ...events.map((event) => row(`[\`${event.type}\`](#${anchorOf(event)})`, personalFields(event))),
    '',
    ...events.flatMap(describeEvent),
  ].join('\n');
}

function describeEvent(event: DescribedEvent<unknown>): string[] {
  const heard = Object.entries(serviceAccess)
    .filter(([, { hears }]) => hears.some(({ type }) => type === event.type))
    .map(([service]) => `\`${service}\``);
  const { properties, required } = schemaOf(event);
  return [
    `## ${event.type}`,
    '',
    event.tells,
    '',
    `From \`${event.from}\`, heard by ${heard.join(', ') || 'none of our services'}.`,
    '',
    '| field | type | what it is |',
    '| --- | --- | --- |',
    ...Object.entries(properties).map(([name, field]) =>
      row(`\`${name}\`${required.includes(name) ? '' : ', if any'}`, typeOf(field), about(field)),
    ),
    '',
  ];
}

function about({ description = '', personal }: Field): string {
  return [description, ...(personal ? ['**Personal data.**'] : [])].join(' ').trim();
}

function personalFields(event: DescribedEvent<unknown>): string {
  const { properties } = schemaOf(event);
  const names = Object.entries(properties).filter(([, { personal }]) => personal);
  return names.map(([name]) => `\`${name}\``).join(', ') || 'none';
}

function schemaOf({ data }: DescribedEvent<unknown>): {
  properties: Record<string, Field>;
  required: string[];
} {
  const { properties = {}, required = [] } = z.toJSONSchema(data) as Partial<ReturnType<typeof schemaOf>>;
  return { properties, required };
}

function typeOf({ type = 'any', enum: values, items }: Field): string {
  if (values) return values.map((value) => `\`${String(value)}\``).join(', ');
  return items ? `list of ${typeOf(items)}` : type;
}

/** As GitHub makes it from a heading. */
function anchorOf({ type }: DescribedEvent<unknown>): string {
  return type.replaceAll('.', '');
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
