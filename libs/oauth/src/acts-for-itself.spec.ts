import { actsForItself } from './index.js';

describe('actsForItself', () => {
  it('tells the token of a client about itself from one it got for a person (RFC 9068 2.2)', () => {
    expect(actsForItself({ sub: 'https://agent.test', client_id: 'https://agent.test' })).toBe(true);
    expect(actsForItself({ sub: 'alice', client_id: 'https://agent.test' })).toBe(false);
  });
});
