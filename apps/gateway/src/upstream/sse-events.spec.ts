import fc from 'fast-check';
import { formatEvent, type SseEvent, sseEvents } from './sse-events.js';

async function* inPieces(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const size of sizes) {
    yield bytes.subarray(from, from + size);
    from += size;
  }
  yield bytes.subarray(from);
}
const read = async (text: string, sizes: number[] = [], limit = 10_000): Promise<SseEvent[]> => {
  const events: SseEvent[] = [];
  for await (const event of sseEvents(inPieces(Buffer.from(text), sizes), limit)) events.push(event);
  return events;
};

describe('sseEvents', () => {
  it.each(['\n', '\r\n', '\r'])('reads fields, with lines ended by %j', async (end) => {
    const lines = [
      'event: message',
      'id: 7',
      'data: one',
      'data:two',
      'retry: 5',
      '',
      ': comment',
      '',
      'data',
      '',
      '',
    ];
    expect(await read(lines.join(end))).toEqual([
      { otherLines: ['event: message', 'retry: 5'], id: '7', data: 'one\ntwo' },
      { otherLines: [': comment'], id: undefined, data: undefined },
      { otherLines: [], id: undefined, data: '' },
    ]);
  });

  it('reads the same however the bytes are cut', async () => {
    const text = 'id: ä\r\ndata: {"a":"€"}\r\n\r\n: x\r\n\r\ndata: last\r\n\r\n';
    const whole = await read(text);
    expect(whole).toHaveLength(3);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 7 }), { maxLength: 30 }), async (sizes) => {
        expect(await read(text, sizes)).toEqual(whole);
      }),
    );
  });

  it('reads what it formats', async () => {
    const event = { otherLines: ['event: message'], id: '7', data: 'one\ntwo' };
    expect(await read(formatEvent(event))).toEqual([event]);
  });

  it('refuses an event that outgrows its bound', async () => {
    await expect(read(`data: ${'x'.repeat(100)}`, [50], 40)).rejects.toThrow();
  });
});
