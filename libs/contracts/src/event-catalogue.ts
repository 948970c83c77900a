import { z } from 'zod';
import { clientRegistered, decisionMade, tokenExchanged, tokenIssued, tokenRefused } from './activity.js';
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
  tokenIssued,
  tokenExchanged,
  tokenRefused,
  clientRegistered,
  decisionMade,
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
    'What has happened, told to everybody who may hear it, over JetStream or inside the process. An event arrives at least once',
    'and in order, and never holds a token, a secret or an argument. To be told outside of NATS, see',
    '[shared-signals.md](shared-signals.md). Generated from `libs/contracts` by `npm run docs`.',
    '',
    '| stream | subjects | kept | has | `sequence` |',
    '| --- | --- | --- | --- | --- |',
    '| `BEHALF_EVENTS` | `behalf.event.<type without behalf.>` | a day, 1 GB | changes; each commits with what it tells | counts all events without a gap, so that a listener sees what it missed |',
    '| `BEHALF_ACTIVITY` | `behalf.activity.<type without behalf.>` | a day, 1 GB | what is done all day, as the audit log has it; a moment later, so that nobody waits for it | the place of the record in the audit log; it grows, with gaps for records that are no event |',
    '',
    'The message is JSON: `{"id", "type", "sequence", "occurredAtMs", "data"}`. Headers carry the same as CloudEvents attributes:',
    '',
    '| header | CloudEvents attribute | is |',
    '| --- | --- | --- |',
    '| `ce-specversion` | `specversion` | `1.0` |',
    '| `ce-id` | `id` | the `id`; the same when an event is told twice. Of activity: `<log>/<index>/<hash of the leaf>`, which a receipt is asked for by |',
    '| `ce-source` | `source` | `behalf` |',
    '| `ce-type` | `type` | the `type` |',
    '| `ce-time` | `time` | `occurredAtMs`, as RFC 3339 |',
    '| `ce-subject` | `subject` | of activity: the client, or the decision, that it is about |',
    '| `ce-datacontenttype` | `datacontenttype` | `application/json` |',
    '',
    'A program that is none of our services hears them with the key `observer`, and with nothing else that it may do: see',
    '[services.md](services.md). Activity is published where services are apart; `audit.events` in the',
    '[configuration](configuration.md) says otherwise.',
    '',
    '| event | stream | personal data |',
    '| --- | --- | --- |',
    ...events.map((event) =>
      row(`[\`${event.type}\`](#${anchorOf(event)})`, event.stream ?? 'changes', personalFields(event)),
    ),
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
