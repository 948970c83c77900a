import { type Answer, parseJson } from '@behalf/messaging';
import { type Msg, type MsgHdrs, headers } from '@nats-io/transport-node';
import { z } from 'zod';

const kindHeader = 'Behalf-Answer';
const refusalSchema = z.object({ error: z.string(), error_description: z.string() });

/** An answer as it travels: what kind it is in a header, the JSON of reply or refusal as the body. */
export type WireAnswer = Answer | { problem: 'overloaded' };

export function respond(message: Msg, answer: WireAnswer, maxBytes: number): void {
  const { kind, body } = encode(answer);
  if (Buffer.byteLength(body) > maxBytes) {
    respond(
      message,
      { refusal: { error: 'server_error', error_description: 'the answer is too large' } },
      maxBytes,
    );
    return;
  }
  const carried = headers();
  carried.set(kindHeader, kind);
  message.respond(body, { headers: carried });
}

/** @returns undefined for what none of us sends */
export function readAnswer(message: { headers?: MsgHdrs; string(): string }): WireAnswer | undefined {
  const body = message.string();
  const kind = message.headers?.get(kindHeader);
  switch (kind) {
    case 'reply':
      return { reply: body === '' ? undefined : body };
    case 'malformed_request':
    case 'overloaded':
      return { problem: kind };
    case 'refused': {
      const refusal = refusalSchema.safeParse(parseJson(body));
      return refusal.success ? { refusal: refusal.data } : undefined;
    }
    default:
      return undefined;
  }
}

function encode(answer: WireAnswer): { kind: string; body: string } {
  if ('problem' in answer) return { kind: answer.problem, body: '' };
  if ('refusal' in answer) return { kind: 'refused', body: JSON.stringify(answer.refusal) };
  return { kind: 'reply', body: answer.reply ?? '' };
}
