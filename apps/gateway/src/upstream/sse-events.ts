/** One event of a stream: its fields as they came, and its data. */
export interface SseEvent {
  /** The lines other than `data` and `id`, comments included. */
  otherLines: string[];
  id: string | undefined;
  /** Undefined for an event without data, e.g. a comment. */
  data: string | undefined;
}

/**
 * Cuts an event stream into events, one at a time, so that a slow reader slows the writer.
 *
 * @throws Error when one event is larger than `maxEventBytes`
 * @see HTML Standard, "Server-sent events"
 */
export async function* sseEvents(
  body: AsyncIterable<Uint8Array>,
  maxEventBytes: number,
): AsyncGenerator<SseEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    // The second half of a CRLF may be in the next chunk, so a CR at the end waits for it.
    text += decoder.decode(chunk, { stream: true });
    const held = text.endsWith('\r') ? '\r' : '';
    text = text.slice(0, text.length - held.length).replace(/\r\n?/g, '\n');
    let from = 0;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n', from)) {
      yield parseEvent(text.slice(from, end));
      from = end + 2;
    }
    text = text.slice(from) + held;
    if (text.length > maxEventBytes) throw new Error('event too large');
  }
  if (text.trim() !== '') yield parseEvent(text.replace(/\r\n?/g, '\n').replace(/\n$/, ''));
}

export function formatEvent({ otherLines, id, data }: SseEvent): string {
  const lines = [
    ...otherLines,
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(data === undefined ? [] : data.split('\n').map((line) => `data: ${line}`)),
  ];
  return `${lines.join('\n')}\n\n`;
}

function parseEvent(block: string): SseEvent {
  const event: SseEvent = { otherLines: [], id: undefined, data: undefined };
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'data') event.data = event.data === undefined ? value : `${event.data}\n${value}`;
    else if (name === 'id') event.id = value;
    else if (line !== '') event.otherLines.push(line);
  }
  return event;
}
