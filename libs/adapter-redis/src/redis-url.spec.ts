import { InvalidRedisUrl, parseRedisUrl } from './index.js';

describe('parseRedisUrl', () => {
  it.each([
    ['redis://localhost', { kind: 'standalone', node: { host: 'localhost', port: 6379 }, db: 0, tls: false }],
    [
      'rediss://ann:p%40ss:x@[::1]:7000/3',
      {
        kind: 'standalone',
        node: { host: '::1', port: 7000 },
        db: 3,
        tls: true,
        username: 'ann',
        password: 'p@ss:x',
      },
    ],
    [
      'redis+sentinel://:secret@one:26379,two/main/1',
      {
        kind: 'sentinel',
        sentinels: [
          { host: 'one', port: 26379 },
          { host: 'two', port: 26379 },
        ],
        master: 'main',
        db: 1,
        tls: false,
        password: 'secret',
      },
    ],
    [
      'rediss+cluster://one:7001,two:7002',
      {
        kind: 'cluster',
        nodes: [
          { host: 'one', port: 7001 },
          { host: 'two', port: 7002 },
        ],
        tls: true,
      },
    ],
  ])('reads %s', (url, target) => {
    expect(parseRedisUrl(url)).toEqual(target);
  });

  it.each([
    '',
    'localhost',
    'http://localhost',
    'redis://',
    'redis://one,two',
    'redis://one/x',
    'redis+sentinel://one',
    'redis+cluster://one/1',
    'redis://one:port',
  ])('refuses %s without repeating it', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(InvalidRedisUrl);
  });
});
