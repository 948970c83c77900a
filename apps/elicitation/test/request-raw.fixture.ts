import { request as send } from 'node:http';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: () => Record<string, unknown>;
}

export interface RawOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Called with each piece of the answer. */
  onData?: (text: string) => void;
}

/** A request whose path nobody normalises on the way. */
export function requestRaw(
  port: number,
  path: string,
  { method = 'GET', headers, body, onData }: RawOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send({ port, host: 'localhost', path, method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        onData?.(chunk.toString());
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}
