import { isLocalProgram } from './is-local-program.js';

describe('isLocalProgram', () => {
  it.each([
    ['127.0.0.1', {}, true],
    ['127.8.9.1', {}, true],
    ['::1', {}, true],
    ['::ffff:127.0.0.1', {}, true],
    ['10.0.0.1', {}, false],
    ['::ffff:10.0.0.1', {}, false],
    ['127.evil', {}, false],
    [undefined, {}, false],
    ['127.0.0.1', { origin: 'http://localhost:4002' }, false],
    ['127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }, false],
    ['127.0.0.1', { forwarded: 'for=127.0.0.1' }, false],
  ])('%s with %j: %s', (remoteAddress, headers, local) => {
    expect(isLocalProgram({ headers, socket: { remoteAddress } })).toBe(local);
  });
});
